/** What is said where the voice firewall rules could not be looked at. */
import type { Finding } from '../judge/verdict.ts';
import type { RouterFacts } from './survey.ts';

export function unreadFindings({ policy }: RouterFacts): Finding[] {
  if (policy.state !== 'failed') return [];
  const text = `The voice firewall rules could not be looked at: ${policy.because}.`;
  return [{ code: 'policy-unread', weight: 'trouble', text, evidence: [policy.source] }];
}
