/** What the router sees of the kernel's modules: all that is there, or less. */
import type { Member } from './member.ts';

/**
 * An overlay over /sys/module in the router's mount namespace, from which a module can be taken away while the
 * kernel of course keeps it. (To the kernel the helper is still there: a hand-written `ct helper` object of type
 * sip loads in the lab and would not on a router; the virtual machine shows that.)
 */
export async function hideModules(router: Member, hide: (name: string) => boolean): Promise<void> {
  const names = (await router.must(['ls', '/sys/module'])).split('\n').filter((name) => name !== '' && hide(name));
  await router.must([
    'sh',
    '-ec',
    `
    if ! grep -q ' /sys/module overlay ' /proc/mounts; then
      mkdir -p /run/modules
      mount -t tmpfs modules /run/modules
      mkdir /run/modules/upper /run/modules/work
      mount -t overlay -o lowerdir=/sys/module,upperdir=/run/modules/upper,workdir=/run/modules/work overlay /sys/module
      umount -l /run/modules
      rmdir /run/modules
    fi
    for name; do rm -rf "/sys/module/$name"; done`,
    'sh',
    ...names,
  ]);
}

/** Whether this kernel has the SIP helper and its NAT part, as far as can be seen; tries to load them. */
export async function kernelHasAlg(router: Member): Promise<boolean> {
  const made = await router.run([
    'sh',
    '-c',
    `
    nft -f - <<'END'
    table inet lab_trial { ct helper trial { type "sip" protocol udp; }; }
END
    status=$?
    nft delete table inet lab_trial 2>/dev/null
    exit $status`,
  ]);
  return made.status === 0;
}
