/**
 * Sends the SIP messages of a capture to a HEP server on this machine. Arguments: the port, the capture's file. Says the counts of
 * what became of them, as JSON.
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createHepExporter } from '../../../src/hep/exporter.ts';
import { UDP } from '../../../src/languages/hep/frame.ts';
import { Capture } from '../../../src/languages/pcap/capture.ts';
import { latin1 } from '../../../src/languages/sip/text.ts';

const [port = '', file = ''] = process.argv.slice(1);
const exporter = createHepExporter({ agent: 7, key: 'secret' });
const four = (address: number): Uint8Array => Uint8Array.of(address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255);
const nothing = (): void => undefined;

const capture = new Capture({
  datagram(packet) {
    exporter.take({
      source: four(packet.source),
      destination: four(packet.destination),
      sourcePort: packet.sourcePort,
      destinationPort: packet.destinationPort,
      protocol: UDP,
      seconds: packet.seconds,
      microseconds: Math.floor(packet.nanoseconds / 1000),
      text: latin1(packet.data.subarray(packet.start, packet.end)),
    });
  },
  problem: nothing,
  stream: nothing,
  streamGap: nothing,
  streamEnd: nothing,
});
capture.push(readFileSync(file));
capture.end();

const socket = createSocket('udp4');
const send = (frame: Uint8Array): Promise<void> =>
  new Promise((sent, failed) => socket.send(frame, Number(port), '127.0.0.1', (error) => (error === null ? sent() : failed(error))));
void exporter.queue.drain(send).then(() => {
  process.stdout.write(JSON.stringify(exporter.queue.counts));
  socket.close();
});
