/** The certificate of the page's own mount: which files, and what came of reading them. */
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

/** PEM. */
export interface TlsPair {
  cert: string;
  key: string;
}

export interface CertificatePaths {
  cert: string;
  key: string;
  /** Named for this page: they must be there. Not: they are the web server's, and may be made later, or never. */
  named: boolean;
}

export type Certificate =
  | { state: 'absent' }
  /** `mark`: another certificate or key has another one. */
  | { state: 'present'; pair: TlsPair; mark: string }
  /** `because`: names the file, as the end of a sentence. */
  | { state: 'failed'; because: string };

/** What a person is told where the password would be sent without TLS. */
export const clearText = ({ cert, key }: CertificatePaths): Said =>
  say(
    'http-clear',
    'The password goes over the network in clear, for there is no certificate on this router ({cert}, {key}). '
      + 'Install luci-ssl, or name a certificate by the options cert and key of the section serve in /etc/config/sipalg.',
    { cert, key },
  );
