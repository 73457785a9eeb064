/** package/'s modules for apk's files, with the types that their own comments say. */
import type { KeyObject } from 'node:crypto';
import { packer } from './made.ts';

export interface Info {
  name: string;
  version: string;
  description?: string;
  arch?: string;
  license?: string;
  origin?: string;
  maintainer?: string;
  url?: string;
  repoCommit?: string;
  buildTime?: number;
  providerPriority?: number;
  layer?: number;
  depends?: string[];
  provides?: string[];
  replaces?: string[];
  installIf?: string[];
  recommends?: string[];
  tags?: string[];
}

interface Owned {
  user?: string;
  group?: string;
  time?: number;
}
export type Entry =
  | (Owned & { type?: 'file'; bytes: Uint8Array; mode: number })
  | (Owned & { type: 'link'; target: string; mode?: number })
  | (Owned & { type: 'folder'; mode?: number });

export interface Contents {
  info: Info;
  files?: Map<string, Entry>;
  scripts?: Record<string, string>;
  triggers?: string[];
  replacesPriority?: number;
  time?: number;
}

export interface SigningKey {
  publicKey: KeyObject;
  publicPem: string;
  sign(schema: string, adb: Buffer): Buffer;
}
export interface Options {
  compression?: string;
  keys?: SigningKey[];
  description?: string;
  pkgnameSpec?: string;
}
export interface AdbFile {
  schema: string;
  adb: Buffer;
  signatures: Buffer[];
  data: Buffer[];
}
type Made = { hashes: string; installedSize: number; fileSize?: number };
export interface ReadPackage {
  compression: string;
  file: AdbFile;
  info: Info & Made;
  files?: Map<string, Entry>;
  scripts: Record<string, string>;
  triggers: string[];
  replacesPriority?: number;
}

export interface Writer {
  integer(value: number | bigint): number;
  blob(value: string | Uint8Array): number;
  ownBlob(value: Uint8Array): { value: number; place: number };
  object(slots: readonly number[]): number;
  copy(from: Reader, value: number): number;
  finish(root: number): Buffer;
}
export interface Reader {
  readonly root: number;
  stored(value: number): Buffer;
  blob(value: number): Buffer;
  text(value: number): string;
  integer(value: number): number | undefined;
  slots(value: number): number[];
}

export interface Library {
  AdbWriter: new () => Writer;
  AdbReader: new (payload: Buffer) => Reader;
  BLOCK: { ADB: number; SIG: number; DATA: number };
  block(type: number, ...payload: Uint8Array[]): Buffer;
  writeAdb(parts: AdbFile): Buffer;
  readAdb(bytes: Buffer): AdbFile;
  compress(bytes: Buffer, compression: string): Buffer;
  decompress(bytes: Buffer): { compression: string; bytes: Buffer };
  checkedName(name: string): string;
  checkedVersion(version: string): string;
  compareVersions(one: string, other: string): number;
  parseDependency(word: string): { name: string; version?: string; match: number };
  dependencyWord(one: { name: string; version?: string; match: number }): string;
  parseDependencies(list: readonly string[]): { name: string; version?: string; match: number }[];
  keyId(key: KeyObject): Buffer;
  signingKey(pem: string | Buffer): SigningKey;
  isSignedBy(file: AdbFile, key: KeyObject | string): boolean;
  INFO: readonly (readonly [field: string, kind: string])[];
  writePackage(contents: Contents, options?: Options): Buffer;
  writeIndex(packages: readonly Buffer[], options?: Options): Buffer;
  readPackage(bytes: Buffer): ReadPackage;
  readIndex(bytes: Buffer): { compression: string; file: AdbFile; description: string; pkgnameSpec: string; packages: (Info & Made)[] };
}

export async function library(): Promise<Library> {
  const names = ['adb', 'apk-dependency', 'adb-signature', 'apk', 'apk-read'];
  const modules = await Promise.all(names.map((name) => packer<Partial<Library>>(name)));
  return Object.assign({}, ...modules) as Library;
}
