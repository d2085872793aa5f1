/**
 * Field 8 of a contract: the salt that its id was made with (contract-id spec, section 2). Ids of the `00…` form carry a
 * versioned message around it, `01…` ids a bare one.
 */
import { AcsError } from '../io/error.js';
import { type Borders, borders } from '../wire/borders.js';
import { WireReader } from '../wire/reader.js';
import { readVersionedMessage } from '../wire/versionedMessage.js';

export const SALT_BYTES = 32;
const MULTIHASH_BYTES = 34;
/** Everything in front of the salt, and behind it, as Canton writes it. */
const V1_HEAD = Buffer.from('0a260a2408011220', 'hex');
const V1_TAIL = Buffer.from('101e', 'hex');

/** Borders of the salt inside the buffer that was given. */
export type SaltBorders = Borders;

export interface V2AuthenticationData extends SaltBorders {
  /** The creating update id, a 34-byte multihash; -1 in relative ids. */
  updateIdStart: number;
  updateIdEnd: number;
}

/** The message of an id of version `ca10`, `ca11` or `ca12`. Error: `AUTHENTICATION_DATA`. */
export function readSalt(buf: Buffer, start: number, end: number): SaltBorders {
  if (isCanonical(buf, start, end)) {
    return { start: start + V1_HEAD.length, end: start + V1_HEAD.length + SALT_BYTES };
  }
  if (start === end) throw bad('the contract has no authentication data', start, 'a salt of 32 bytes');
  try {
    return readVersioned(new WireReader(buf, start, end));
  } catch (error) {
    if (error instanceof AcsError && error.code.startsWith('WIRE_')) {
      throw bad('the authentication data is no protobuf message', start, 'a versioned salt', error);
    }
    throw error;
  }
}

/** Bytes of the message of a `00…` id around a salt. */
export function writeAuthenticationData(salt: Buffer): Buffer {
  if (salt.length !== SALT_BYTES) throw bad('a salt has the wrong length', 0, '32 bytes');
  return Buffer.concat([V1_HEAD, salt, V1_TAIL]);
}

function isCanonical(buf: Buffer, start: number, end: number): boolean {
  if (end - start !== V1_HEAD.length + SALT_BYTES + V1_TAIL.length) return false;
  for (let i = 0; i < V1_HEAD.length; i++) if (buf[start + i] !== V1_HEAD[i]) return false;
  return buf[end - 2] === V1_TAIL[0] && buf[end - 1] === V1_TAIL[1];
}

function readVersioned(r: WireReader): SaltBorders {
  const start = r.pos;
  const { data = { start, end: start }, version } = readVersionedMessage(r);
  if (version !== 30) throw bad('unknown version of the authentication data', data.start, '30', `${version}`);
  r.reset(r.buf, data.start, data.end);
  let salt: SaltBorders | undefined;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) salt = borders(r);
    else r.skip(tag & 7);
  }
  if (salt === undefined) throw bad('the authentication data holds no salt', data.start, 'field 1 (salt)');
  r.reset(r.buf, salt.start, salt.end);
  let algorithm = 0;
  let bytes: SaltBorders = { start: salt.start, end: salt.start };
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x08) algorithm = r.int32();
    else if (tag === 0x12) bytes = borders(r);
    else r.skip(tag & 7);
  }
  if (algorithm !== 1)
    throw bad('unknown algorithm of the salt', salt.start, '1 (HMAC-SHA256)', `${algorithm}`);
  return checkLength(bytes);
}

/** The message of an `01…` id. Error: `AUTHENTICATION_DATA`. */
export function readV2AuthenticationData(buf: Buffer, start: number, end: number): V2AuthenticationData {
  const r = new WireReader(buf, start, end);
  let salt: SaltBorders = { start, end: start };
  let updateIdStart = -1;
  let updateIdEnd = -1;
  try {
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag === 0x0a) salt = borders(r);
      else if (tag === 0x12) ({ start: updateIdStart, end: updateIdEnd } = borders(r));
      else r.skip(tag & 7);
    }
  } catch (error) {
    throw bad('the authentication data is no protobuf message', start, 'a salt', error);
  }
  checkLength(salt);
  if (updateIdStart >= 0 && updateIdEnd - updateIdStart !== MULTIHASH_BYTES) {
    throw bad('the creating update id has the wrong length', updateIdStart, `${MULTIHASH_BYTES} bytes`);
  }
  return { ...salt, updateIdStart, updateIdEnd };
}

function checkLength(salt: SaltBorders): SaltBorders {
  const n = salt.end - salt.start;
  if (n !== SALT_BYTES)
    throw bad('the salt has the wrong length', salt.start, `${SALT_BYTES} bytes`, `${n} bytes`);
  return salt;
}

function bad(message: string, byteOffset: number, expected: string, found?: unknown): AcsError {
  return new AcsError('AUTHENTICATION_DATA', message, {
    byteOffset,
    expected,
    found: typeof found === 'string' ? found : undefined,
    cause: typeof found === 'string' ? undefined : found,
  });
}
