/** The bytes of a contract id, every version (snapshot-format spec, section 6; contract-id-authentication spec, 1). */

/** Names as the corpus writes them; the 2.x ones by their prefix. */
export type ContractIdVersion = 'V10' | 'V11' | 'V12' | 'V2_0';

export type ContractIdInfo =
  /** An id that the 3.x authenticator knows. */
  | { kind: 'canton'; version: ContractIdVersion }
  /** V2 with a relative suffix: not yet absolute. */
  | { kind: 'relative' }
  /** A 2.x id; `ca00` … `ca03`. Not importable into 3.x. */
  | { kind: 'legacy'; prefix: string }
  /** An id without suffix: never committed. */
  | { kind: 'local' }
  | { kind: 'malformed'; reason: string };

function canton(version: ContractIdVersion): ContractIdInfo {
  return Object.freeze({ kind: 'canton', version });
}

/** By the two bytes behind the discriminator: `ca10`, `ca11`, `ca12`. */
const V1_PREFIXES: Record<number, ContractIdInfo> = {
  51728: canton('V10'),
  51729: canton('V11'),
  51730: canton('V12'),
};
const V2_0 = canton('V2_0');

export const V1_DISCRIMINATOR_BYTES = 32;
export const V1_CANTON_BYTES = 69;
export const V2_LOCAL_BYTES = 13;
export const V2_CANTON_BYTES = 46;
export const V1_MAX_BYTES = 127;

/** Classifies raw contract-id bytes `buf[start, end)`. */
export function classifyContractId(buf: Uint8Array, start = 0, end = buf.length): ContractIdInfo {
  const n = end - start;
  if (n === 0) return { kind: 'malformed', reason: 'the contract id is empty' };
  if (buf[start] === 0x00) return classifyV1(buf, start, n);
  if (buf[start] === 0x01) return classifyV2(buf, start, n);
  return { kind: 'malformed', reason: `unknown contract id version byte 0x${hexByte(buf[start])}` };
}

function classifyV1(buf: Uint8Array, start: number, n: number): ContractIdInfo {
  if (n < 33) return { kind: 'malformed', reason: `${n} bytes, too short for a discriminator of 32 bytes` };
  if (n === 33) return { kind: 'local' };
  if (n > V1_MAX_BYTES) return { kind: 'malformed', reason: `${n} bytes, more than ${V1_MAX_BYTES}` };
  const prefix = n >= 35 ? (buf[start + 33] << 8) | buf[start + 34] : -1;
  const known = V1_PREFIXES[prefix];
  const legacy = prefix >= 0xca00 && prefix <= 0xca03;
  if (known === undefined && !legacy) {
    return { kind: 'malformed', reason: 'the suffix is not a supported contract-id V1 prefix' };
  }
  if (n < 37 || buf[start + 35] !== 0x12)
    return { kind: 'malformed', reason: 'the suffix holds no SHA-256 hash' };
  if (buf[start + 36] !== 0x20 || n !== V1_CANTON_BYTES) {
    return { kind: 'malformed', reason: `the suffix holds a hash of ${n - 37} bytes instead of 32` };
  }
  return known ?? { kind: 'legacy', prefix: prefix.toString(16) };
}

function classifyV2(buf: Uint8Array, start: number, n: number): ContractIdInfo {
  if (n < V2_LOCAL_BYTES) return { kind: 'malformed', reason: `${n} bytes, too short for a V2 contract id` };
  if (n === V2_LOCAL_BYTES) return { kind: 'local' };
  if (n !== V2_CANTON_BYTES)
    return { kind: 'malformed', reason: `${n} bytes, a Canton V2 id has ${V2_CANTON_BYTES}` };
  const first = buf[start + V2_LOCAL_BYTES];
  if (first === 0x80) return V2_0;
  if (first === 0x00) return { kind: 'relative' };
  return { kind: 'malformed', reason: `unknown V2 suffix byte 0x${hexByte(first)}` };
}

/** A short label for tables: `V12`, `ca02`, `local`, `relative`, `malformed`. */
export function contractIdLabel(info: ContractIdInfo): string {
  switch (info.kind) {
    case 'canton':
      return info.version;
    case 'legacy':
      return info.prefix;
    default:
      return info.kind;
  }
}

/**
 * True when the bytes are a contract id as a value may hold it: any V1 or V2 id, local ones and unknown suffixes too.
 * Returns the reason when they are not.
 */
export function contractIdValueProblem(buf: Uint8Array, start: number, end: number): string | undefined {
  const n = end - start;
  if (n === 0) return 'a contract id is empty';
  if (buf[start] === 0x00) {
    return n >= 33 && n <= V1_MAX_BYTES
      ? undefined
      : `a V1 contract id of ${n} bytes (33 to ${V1_MAX_BYTES} allowed)`;
  }
  if (buf[start] === 0x01) {
    return n >= V2_LOCAL_BYTES && n <= V2_CANTON_BYTES
      ? undefined
      : `a V2 contract id of ${n} bytes (${V2_LOCAL_BYTES} to ${V2_CANTON_BYTES} allowed)`;
  }
  return `unknown contract id version byte 0x${hexByte(buf[start])}`;
}

function hexByte(b: number): string {
  return b.toString(16).padStart(2, '0');
}
