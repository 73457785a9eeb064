/**
 * What the voice rules cost a packet that is forwarded: the lab's router with its firewall alone, with the voice rules, with the
 * voice rules and ten thousand networks, with a table of the same hooks and nothing in it, and with one that marks whatever looks
 * like RTP and asks nothing else, in turn and many times over in one run. The last two are floors: no table of these hooks costs
 * less, none that marks audio. A time is that of the quicker quarter of the rounds, for whatever else the machine does only adds
 * to it. Prints rows as bench/inside.mjs does.
 *
 * The time is that of processors and not of the clock: what the sender and the kernel's threads for packets have used, from
 * the program that sends to the socket that it is put into. The lab has cables where a router has network cards.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { openLab, type Lab } from '../test/lab/lab.ts';
import { ADDRESS } from '../test/lab/network.ts';

const ROUNDS = 21;
const PACKETS = 40_000;
const FLOWS = 8;
const SIZE = 172;
/** At most this many times as long: forwarded packets per second at least 0.97 of those without. */
const LIMIT = 1 / 0.97;

type Row = { readonly what: string; readonly seen: string; readonly value: number; readonly limit: number | null; readonly unit: string };

/**
 * Sends COUNT datagrams of SIZE bytes that begin with BYTE, from FROM:PORT and the ports behind it to TO:PORT alike; prints the
 * nanoseconds of processor time that took. Perl stands on every Debian, and is quicker at this than Node.
 */
const SENDER = `use Socket; my ($from, $port, $to, $far, $count, $size, $byte, $flows) = @ARGV; my @s;
for my $f (0 .. $flows - 1) {
  socket(my $s, PF_INET, SOCK_DGRAM, 0) or die;
  bind($s, sockaddr_in($port + $f, inet_aton($from))) or die "bind: $!";
  connect($s, sockaddr_in($far + $f, inet_aton($to))) or die;
  push @s, $s;
}
my $b = chr(oct("0x$byte")) . "\\0" x ($size - 1);
my $t = sub { open my $h, '<', '/proc/thread-self/schedstat' or die; (split ' ', <$h>)[0] };
my $start = $t->();
for my $n (1 .. $count) { send($s[$n % $flows], $b, 0) or die "send: $!" } print $t->() - $start;`;

/** Takes what comes to PORT and the ports behind it, as any program would, until it is ended. */
const TAKER = `use Socket; my ($at, $port, $flows) = @ARGV; my $in = ''; my @s;
for my $f (0 .. $flows - 1) {
  socket(my $s, PF_INET, SOCK_DGRAM, 0) or die;
  bind($s, sockaddr_in($port + $f, inet_aton($at))) or die "bind: $!";
  push @s, $s;
  vec($in, fileno($s), 1) = 1;
}
$| = 1;
print "ready\\n";
while (1) {
  my $out = $in;
  select($out, undef, undef, undef);
  for my $s (@s) { next unless vec($out, fileno($s), 1); my $b; 1 while defined recv($s, $b, 2048, 64) }
}`;

/** What is sent: by whom, from where to where, and how it begins. RTP begins with 0x80; 0x55 is no SIP and no RTP. */
const TRAFFIC = [
  { what: 'what is no voice, going out', end: 'phone', near: 30_000, far: 443, byte: '55', marked: false },
  { what: 'what is no voice, coming in', end: 'provider', near: 443, far: 30_000, byte: '55', marked: false },
  { what: 'audio, going out', end: 'phone', near: 14_000, far: 24_000, byte: '80', marked: true },
] as const;

const VARIANTS = ['without', 'with', 'with 10,000 networks', 'empty hooks', 'hooks that mark alone'] as const;

/** A table of the hooks that the voice rules have; `rule` in the one that forwards. */
const hooked = (rule: string): string =>
  `table inet sipalg {\n${['forward', 'input', 'output']
    .map((hook) => `chain ${hook} {\ntype filter hook ${hook} priority -140; policy accept;\n${hook === 'forward' ? rule : ''}\n}`)
    .join('\n')}\n}\n`;

/** Nanoseconds that the kernel's threads for packets have run. */
function threads(): number {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .reduce((sum, pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('ksoftirqd')
          ? sum + Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0])
          : sum;
      } catch {
        return sum; // it has ended meanwhile
      }
    }, 0);
}

async function send(lab: Lab, { end, near, far, byte }: (typeof TRAFFIC)[number], count: number): Promise<number> {
  const [to, other] = end === 'phone' ? ([ADDRESS.provider, 'provider'] as const) : ([ADDRESS.wan, 'phone'] as const);
  const taker = lab[other].spawn(['perl', '-e', TAKER, ADDRESS[other], String(far), String(FLOWS)]);
  await new Promise((resolve, reject) => {
    taker.child.stdout.once('data', resolve);
    taker.ended.then(() => reject(new Error(`nobody takes what is sent to ${other}`)), reject);
  });
  const before = threads();
  const own = Number(
    await lab[end].must(
      ['perl', '-e', SENDER, ADDRESS[end], String(near), to, String(far), String(count), String(SIZE), byte, String(FLOWS)],
      { timeout: 60_000 },
    ),
  );
  const all = own + threads() - before;
  taker.signal('SIGKILL');
  await taker.ended;
  return all;
}

async function passed(lab: Lab, device: string): Promise<number> {
  return Number(await lab.router.must(['cat', `/sys/class/net/${device}/statistics/tx_packets`]));
}

const configuration = (networks: number): string =>
  `config sipalg 'main'\n\toption alg 'unmanaged'\n\toption policy '1'\n${
    networks === 0
      ? ''
      : `config provider 'many'\n${Array.from(
          { length: networks },
          (_, at) => `\tlist signalling '${20 + (at >> 13)}.${(at >> 5) & 255}.${(at & 31) * 8}.0/24'\n`,
        ).join('')}`
  }`;

async function main(): Promise<void> {
  const lab = await openLab({ ruleset: 'stock-alg-absent', product: process.argv[2] ?? 'dist/router' });
  try {
    const texts: (string | null)[] = [null];
    for (const networks of [0, 10_000]) {
      lab.files.write('/etc/config/sipalg', configuration(networks));
      await lab.router.must(['sipalg', 'apply'], { timeout: 120_000 });
      texts.push(lab.files.read('/etc/sipalg.policy'));
    }
    if (!/20\.0\.0\.0\/24/.test(texts[2] ?? '')) throw new Error('the rules do not hold the networks they were given');
    texts.push(hooked(''), hooked('@th,64,2 2 meta l4proto udp ip dscp cs0 ip dscp set ef'));
    const use = async (text: string | null): Promise<void> => {
      await lab.router.run(['nft', 'delete', 'table', 'inet', 'sipalg']);
      if (text === null) return;
      await lab.router.must(['nft', '-f', '-'], { input: text });
      await lab.sendSip('register', { from: 'phone', to: 'provider' }); // the rules learn who is a phone
    };
    const took = TRAFFIC.map(() => VARIANTS.map((): number[] => []));
    for (let round = -1; round < ROUNDS; round++) {
      for (const [variant, text] of texts.entries()) {
        await use(text);
        for (const [at, traffic] of TRAFFIC.entries()) {
          if (round < 0 && variant === 0) await send(lab, TRAFFIC[0], FLOWS); // opens the flows that answers come back in
          const device = traffic.end === 'phone' ? 'wan' : 'br-lan';
          const before = await passed(lab, device);
          const time = await send(lab, traffic, round < 0 ? 6400 : PACKETS);
          const through = (await passed(lab, device)) - before;
          if (through < (round < 0 ? 6400 : PACKETS) * 0.95) throw new Error(`${traffic.what}: only ${through} packets were forwarded`);
          if (round >= 0) took[at]![variant]!.push(time / through);
        }
      }
    }
    await use(texts[1]!);
    await send(lab, TRAFFIC[2], FLOWS);
    const marked = await lab.router.must(['nft', 'list', 'counter', 'inet', 'sipalg', 'voice_media']);
    if (/packets 0 /.test(marked)) throw new Error('the audio was not seen as audio');
    console.log(
      JSON.stringify(
        TRAFFIC.flatMap(({ what }, at) =>
          VARIANTS.flatMap((_, variant) => (variant === 0 ? [] : [variant])).map((variant): Row => {
            const [time, without] = [undisturbed(took[at]![variant]!), undisturbed(took[at]![0]!)];
            const rate = (nanoseconds: number): string => `${Math.round(1e6 / nanoseconds)}`;
            return {
              what: `forwarding ${what}: ${VARIANTS[variant]} / without`,
              value: time / without,
              limit: TRAFFIC[at]!.marked || variant > 2 ? null : Number(LIMIT.toFixed(3)),
              unit: 'x',
              seen: `${rate(time)} and ${rate(without)} thousand packets a second of processor time, ${ROUNDS} rounds`,
            };
          }),
        ),
      ),
    );
  } finally {
    await lab.close();
  }
}

function undisturbed(times: readonly number[]): number {
  const quick = [...times].sort((one, other) => one - other).slice(0, Math.ceil(times.length / 4));
  return quick.reduce((sum, time) => sum + time, 0) / quick.length;
}

void main();
