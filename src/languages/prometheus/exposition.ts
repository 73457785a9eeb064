/**
 * Metrics in Prometheus's text format, version 0.0.4 (prometheus/docs exposition_formats.md), as promtool 2.42 and node_exporter's
 * textfile collector 1.5 take them: HELP and TYPE before the samples, no time stamps, a newline at the end.
 */
import { Refused, quote } from '../refused.ts';

export interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number;
}

export interface Metric {
  /** Of a counter it ends with `_total`, of nothing else. */
  name: string;
  type: 'gauge' | 'counter';
  /** One line. Of one name it is the same everywhere: of two texts some readers drop one metric without a word. */
  help: string;
  /** None: the metric is not there, which is another thing than 0. */
  samples: readonly Sample[];
}

const escapedHelp = (text: string): string => text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
/** Bytes that are no UTF-8 have no place in a label. */
const escapedLabel = (text: string): string =>
  text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/\\/g, '\\\\')
    .replace(/"/g, '\\"')
    .replace(/\n/g, '\\n');

function sampleLine(name: string, { labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapedLabel(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}

/** @throws Refused for what a reader would refuse, or take for something else */
export function exposition(metrics: readonly Metric[]): string {
  const names = new Set<string>();
  let text = '';
  for (const { name, type, help, samples } of metrics) {
    if (!/^[a-z][a-z0-9_]*$/.test(name) || names.has(name)) throw new Refused(`${quote(name)} cannot name a metric, or names two`);
    if ((type === 'counter') !== name.endsWith('_total')) throw new Refused(`${quote(name)}: a counter ends with _total, and nothing else`);
    names.add(name);
    if (samples.length === 0) continue;
    text += `# HELP ${name} ${escapedHelp(help)}\n# TYPE ${name} ${type}\n`;
    const lines = samples.map((sample) => sampleLine(name, sample));
    if (new Set(samples.map(({ labels }) => JSON.stringify(labels ?? {}))).size < lines.length)
      throw new Refused(`${quote(name)} has one sample twice`);
    text += lines.join('');
  }
  return text;
}
