import { subscribe } from 'node:diagnostics_channel';
import { BlockList, type Socket } from 'node:net';
import * as z from 'zod';

/** Which addresses exchanges may have, as a variable of the functions that call them. */
export const addressVariables = {
  /**
   * `public`: https only, the exchanges' own hosts or the source's `apiUrl`, and no connection to an address inside of a
   * network. `any`: for an exchange on this machine or a proxy in one's own network.
   */
  EXCHANGE_ADDRESSES: z.enum(['public', 'any']).default('public'),
};

/** Why a caller may not name another host: one in the function's own network could answer. */
export const OWN_HOSTS_ONLY =
  'this function calls only the hosts of the exchange itself; another one can be named on one machine, not in a deployment';

/**
 * Everything that is not on the internet: this machine, private networks, the link-local addresses where
 * clouds serve credentials, and all others that IANA reserves.
 * https://www.iana.org/assignments/iana-ipv4-special-registry
 */
const PRIVATE: [network: string, bits: number, family: 'ipv4' | 'ipv6'][] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  // Multicast, reserved, broadcast.
  ['224.0.0.0', 3, 'ipv4'],
  // Loopback, and IPv4 in the notation that came before mapped addresses.
  ['::', 96, 'ipv6'],
  // IPv4 behind any NAT64, 6to4 and Teredo.
  ['64:ff9b::', 96, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['2001::', 32, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
];
const privateAddresses = new BlockList();
for (const network of PRIVATE) privateAddresses.addSubnet(...network);

/** @param address IPv4, or IPv6, which may contain an IPv4 address */
export function isPrivate(address: string): boolean {
  return privateAddresses.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}

let isGuarded = false;

/**
 * Restricts a function to the addresses that it may call.
 * @param baseUrl of the source
 * @throws if the base URL is not one of them
 */
export function holdTo(addresses: 'public' | 'any', baseUrl?: string): void {
  if (addresses === 'any') return;
  if (baseUrl !== undefined && !baseUrl.startsWith('https:')) {
    throw new Error(
      `${baseUrl} is not https. For a proxy in your own network, set "apiIsPrivate" of the source.`,
    );
  }
  refusePrivateAddresses();
}

/**
 * From now on, `fetch` sends nothing to private addresses: a connection to one ends as soon as it is open. This looks at
 * the address that is connected, not at what a name resolved to a moment before, which may differ.
 */
function refusePrivateAddresses(): void {
  if (isGuarded) return;
  isGuarded = true;
  // https://github.com/nodejs/undici/blob/main/docs/docs/api/DiagnosticsChannel.md
  subscribe('undici:client:connected', (message) => {
    const { socket } = message as { socket: Socket };
    const { remoteAddress } = socket;
    if (remoteAddress !== undefined && !isPrivate(remoteAddress)) return;
    socket.destroy(
      new Error(`its address, ${remoteAddress}, is a private one, which exchanges may not have`),
    );
  });
}
