/** A real browser, driven: Debian's chromium without a window, with a profile of its own that goes away with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';

// Loaded from where it is installed: it finds its own files by its place, so it is not packed.
const { chromium } = createRequire(join(process.cwd(), 'package.json'))('playwright-core') as typeof import('playwright-core');

/** Quiet: nothing is fetched that a test did not ask for. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export interface Browser {
  context: BrowserContext;
  /** A new page that keeps what went wrong in it. */
  open(url: string): Promise<{ page: Page; wrong: string[] }>;
  close(): Promise<void>;
}

export interface BrowserOptions {
  width?: number;
  height?: number;
  scheme?: 'light' | 'dark';
  /** The reader's language. Default: en-GB. */
  locale?: string;
  /** What is started instead of chromium, with its arguments. */
  program?: string;
}

/** Starts it. */
export async function openBrowser({
  width = 1100,
  height = 900,
  scheme = 'light',
  locale = 'en-GB',
  program = '/usr/bin/chromium',
}: BrowserOptions = {}): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: program,
    headless: true,
    args: FLAGS,
    chromiumSandbox: false,
    viewport: { width, height },
    colorScheme: scheme,
    locale,
  });
  context.setDefaultTimeout(15_000);
  return {
    context,
    async open(url) {
      const page = await context.newPage();
      const wrong: string[] = [];
      page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') wrong.push(`${message.type()}: ${message.text()}`);
      });
      await page.goto(url);
      return { page, wrong };
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
