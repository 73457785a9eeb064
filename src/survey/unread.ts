/** What is said where the voice firewall rules could not be looked at. */
import { finding } from '../judge/evidence.ts';
import type { Finding } from '../judge/verdict.ts';
import { say } from '../words/say.ts';
import type { RouterFacts } from './survey.ts';

export function unreadFindings({ policy }: RouterFacts): Finding[] {
  if (policy.state !== 'failed') return [];
  const sentence = say('policy-unread', 'The voice firewall rules could not be looked at: {because}.', { because: policy.because });
  return [finding('policy-unread', 'trouble', sentence, [say('the-voice-rules', 'the voice firewall rules')])];
}
