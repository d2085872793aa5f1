/**
 * The bytes that stand for one active contract in a commitment (commitments spec, sections 2.1 and 2.8): the contract id
 * as lower-case hexadecimal TEXT, then the reassignment counter as a big-endian 64-bit integer; the alpha scheme appends
 * two party ids, each after its length as a big-endian 32-bit integer.
 */
import { AcsError } from '../io/error.js';

/** Longest contract id text. */
const MAX_CONTRACT_ID_DIGITS = 254;
/** The lower-case digits, as bytes. */
const DIGITS = Uint8Array.from(Buffer.from('0123456789abcdef'));
const MAX_COUNTER = 0x7fff_ffff_ffff_ffffn;

/** Longest element a caller must make room for when the parties are at most 255 bytes each. */
export const MAX_ELEMENT_BYTES = MAX_CONTRACT_ID_DIGITS + 8 + 2 * (4 + 255);

/**
 * Writes a contract id as text and returns its length, or -1 when it is not lower-case hexadecimal of whole bytes. The
 * bytes are checked rather than the characters: this runs once per contract, and a typed array is faster to walk.
 */
function writeContractId(into: Buffer, text: string): number {
  const length = text.length;
  if (length === 0 || length % 2 !== 0 || length > MAX_CONTRACT_ID_DIGITS) return -1;
  // Any character outside ASCII takes more than one byte.
  if (into.write(text, 0, 'utf8') !== length) return -1;
  for (let i = 0; i < length; i++) {
    const c = into[i]!;
    if (c < 0x30 || c > 0x66 || (c > 0x39 && c < 0x61)) return -1;
  }
  return length;
}

/**
 * Writes the element of a contract to the start of `into` and returns its length. Throws `COMMITMENT_BAD_CONTRACT_ID`
 * and `COMMITMENT_BAD_COUNTER`.
 */
export function writeContractElement(into: Buffer, contractId: string, reassignmentCounter: bigint): number {
  const end = writeContractId(into, contractId);
  if (end < 0) {
    throw new AcsError('COMMITMENT_BAD_CONTRACT_ID', 'not a contract id', {
      expected: `at most ${MAX_CONTRACT_ID_DIGITS} lower-case hexadecimal digits, an even number`,
      found: contractId.slice(0, 300),
    });
  }
  return writeCounter(into, end, reassignmentCounter);
}

/** The same for a contract id given as the bytes `buf[start, end)`: no text is made. */
export function writeRawContractElement(
  into: Buffer,
  buf: Uint8Array,
  start: number,
  end: number,
  reassignmentCounter: bigint,
): number {
  const bytes = end - start;
  if (bytes < 1 || 2 * bytes > MAX_CONTRACT_ID_DIGITS) {
    throw new AcsError('COMMITMENT_BAD_CONTRACT_ID', 'not a contract id', {
      expected: `1 … ${MAX_CONTRACT_ID_DIGITS / 2} bytes`,
      found: `${bytes} bytes`,
    });
  }
  let at = 0;
  for (let i = start; i < end; i++) {
    const b = buf[i]!;
    into[at] = DIGITS[b >> 4]!;
    into[at + 1] = DIGITS[b & 15]!;
    at += 2;
  }
  return writeCounter(into, at, reassignmentCounter);
}

function writeCounter(into: Buffer, at: number, reassignmentCounter: bigint): number {
  if (reassignmentCounter < 0n || reassignmentCounter > MAX_COUNTER) {
    throw new AcsError('COMMITMENT_BAD_COUNTER', 'a reassignment counter is out of range', {
      expected: '0 … 2^63 - 1',
      found: String(reassignmentCounter),
      contractId: into.toString('latin1', 0, at),
    });
  }
  if (reassignmentCounter === 0n) into.fill(0, at, at + 8);
  else into.writeBigInt64BE(reassignmentCounter, at);
  return at + 8;
}

/** The element of a contract as its own bytes. */
export function contractElement(contractId: string, reassignmentCounter: bigint): Buffer {
  const buffer = Buffer.alloc(MAX_ELEMENT_BYTES);
  return Buffer.from(buffer.subarray(0, writeContractElement(buffer, contractId, reassignmentCounter)));
}

/**
 * Appends two stakeholders to the element of a contract, the first `length` bytes of `into`, which makes it the alpha
 * scheme's element. Returns its length.
 */
export function appendParties(into: Buffer, length: number, first: string, second: string): number {
  let end = length;
  for (const party of [first, second]) {
    const bytes = Buffer.byteLength(party);
    if (end + 4 + bytes > into.length) {
      throw new AcsError('COMMITMENT_BAD_PARTY', 'a party id is too long', {
        expected: 'at most 255 bytes',
        found: `${bytes} bytes`,
      });
    }
    into.writeUInt32BE(bytes, end);
    into.write(party, end + 4, 'utf8');
    end += 4 + bytes;
  }
  return end;
}
