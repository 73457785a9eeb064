/** A SIP server over TLS, run in a member of the lab: `node -e SCRIPT serve ADDRESS`. Its certificate is of nobody, and its key no secret. */
import { createServer } from 'node:tls';

const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgY4+Dgqe7apO+yMTo
zhjJQVpGgX4BaKHmwSPUO1/LhHahRANCAARV+Qj3/M1za/Liztz2sOBl9CfqclHD
zYI6Yez9GBdancnv9/NLVTIDH1GmFvVPEg6SbhCuTMHG7ZmUxUp4WJ8N
-----END PRIVATE KEY-----`;
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIUD21da/cdX6UeXgY7p+Sjx+FwsmkwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMcHJvdmlkZXIubGFiMCAXDTI2MTEyODEyMTAwMFoYDzIxMjYx
MTA0MTIxMDAwWjAXMRUwEwYDVQQDDAxwcm92aWRlci5sYWIwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAARV+Qj3/M1za/Liztz2sOBl9CfqclHDzYI6Yez9GBdancnv
9/NLVTIDH1GmFvVPEg6SbhCuTMHG7ZmUxUp4WJ8No1MwUTAdBgNVHQ4EFgQUViDo
VkBQC35ZO0ihSkARoR+RD1YwHwYDVR0jBBgwFoAUViDoVkBQC35ZO0ihSkARoR+R
D1YwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBrxWMuIVaY0x++
VkBasma+ncgpvYmg3+HyuFnvXuT9LQIhAPw2lTbnQWH07z45FuE6eFwH6mfjMbdr
tLYSCgk0hlM6
-----END CERTIFICATE-----`;

const field = (text: string, name: string): string => new RegExp(`^${name}: (.*)\\r$`, 'm').exec(text)?.[1] ?? '';

if (process.argv[1] === 'serve') {
  const server = createServer({ key: KEY, cert: CERTIFICATE }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      const text = data.toString('latin1');
      const via = field(text, 'Via').replace(';rport', `;rport=${socket.remotePort}`);
      const lines = ['SIP/2.0 404 Not Found', `Via: ${via};received=${socket.remoteAddress}`];
      for (const name of ['From', 'To', 'Call-ID', 'CSeq']) lines.push(`${name}: ${field(text, name)}`);
      socket.write([...lines, 'Content-Length: 0', '', ''].join('\r\n'));
    });
  });
  server.on('tlsClientError', () => undefined); // who says something else than TLS is none of ours
  server.listen(5061, process.argv[2]);
}
