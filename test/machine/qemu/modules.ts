/** OpenWrt's packages of the SIP modules, in both divisions, for a kernel of the virtual machine. */
import type { Kernel } from './kernels.ts';
import type { Package } from './packages.ts';

const SIP = ['nf_conntrack_sip', 'nf_nat_sip'];
const OTHERS = ['nf_conntrack_irc', 'nf_nat_irc'];

/** Until 25.12.4: one package of all helpers that are not in kmod-nf-nathelper, the SIP modules among them. */
export function extraPackage(kernel: Kernel, version: string): Package {
  return of(kernel, 'kmod-nf-nathelper-extra', version, 'nf-nathelper-extra', [...SIP, ...OTHERS]);
}

/** From 25.12.5 on: a package of the SIP modules alone, and the old name as a package that only depends on it. */
export function splitPackages(kernel: Kernel, version: string): { sip: Package; extra: Package } {
  return {
    sip: of(kernel, 'kmod-nf-nathelper-sip', version, 'nf-nathelper-sip', SIP),
    extra: { name: 'kmod-nf-nathelper-extra', version, files: {}, depends: ['kmod-nf-nathelper-sip'] },
  };
}

function of(kernel: Kernel, name: string, version: string, list: string, modules: readonly string[]): Package {
  const files = modules
    .filter((each) => SIP.includes(each))
    .map((each) => [`/lib/modules/${kernel.version}/${each}.ko`, kernel.module(each)!.bytes] as const);
  return {
    name,
    version,
    files: { ...Object.fromEntries(files), [`/etc/modules.d/${list}`]: modules.map((each) => each + '\n').join('') },
  };
}
