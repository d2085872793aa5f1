/**
 * Group states as a file, so that a later run applies only what changed: length-prefixed protobuf messages, a header
 * `{1: "acs-group-states/1", 2: scheme, 3: synchronizer}`, one `{1: party…, 2: contracts, 3: state}` per group sorted by
 * parties, and a trailer `{14: number of groups, 15: SHA-256 of everything before}`.
 */
import { createHash } from 'node:crypto';
import { createAtomicFile } from '../io/atomicFile.js';
import { AcsError } from '../io/error.js';
import { type ByteInput, inputName, readChunks } from '../io/input.js';
import { frameSplitter } from '../wire/frames.js';
import { WireReader } from '../wire/reader.js';
import { WireWriter } from '../wire/writer.js';
import { GroupStates } from './groups.js';
import type { EngineKind } from './ltHashEngine.js';
import { LTHASH_BYTES } from './lthash16.js';
import { schemeOf } from './schemes.js';

const FORMAT = 'acs-group-states/1';
const MAX_MESSAGE_BYTES = 16 << 20;
const WRITE_BYTES = 1 << 20;

export interface SavedStates {
  states: GroupStates;
  /** Logical synchronizer id. */
  synchronizer: string;
}

/** The file's bytes, in pieces. Throws `COMMITMENT_SET_VIOLATED` as {@link GroupStates.rows} does. */
export function* encodeStates(saved: SavedStates): Generator<Buffer> {
  const { states, synchronizer } = saved;
  const hash = createHash('sha256');
  const out = new WireWriter(2 * WRITE_BYTES);
  const message = new WireWriter(4096);
  message.stringField(1, FORMAT).stringField(2, states.scheme.name).stringField(3, synchronizer);
  out.varint(message.length).raw(message.view());
  let groups = 0;
  for (const group of states.rows()) {
    message.clear();
    for (const party of group.parties) message.stringField(1, party);
    message.tag(2, 0).varint(group.contracts).bytesField(3, group.state);
    out.varint(message.length).raw(message.view());
    groups++;
    if (out.length >= WRITE_BYTES) {
      hash.update(out.view());
      yield out.finish();
      out.clear();
    }
  }
  hash.update(out.view());
  message.clear().tag(14, 0).varint(groups).bytesField(15, hash.digest());
  yield out.varint(message.length).raw(message.view()).finish();
}

/** Writes the file whole or not at all. */
export async function writeStates(path: string, saved: SavedStates): Promise<void> {
  const file = await createAtomicFile(path);
  try {
    for (const piece of encodeStates(saved)) await file.write(piece);
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
}

/** Reads saved states. Throws `GROUP_STATES_MALFORMED` or `COMMITMENT_UNKNOWN_SCHEME` with the place. */
export async function readStates(
  input: ByteInput,
  options: { engine?: EngineKind } = {},
): Promise<SavedStates> {
  const frames = frameSplitter(MAX_MESSAGE_BYTES);
  const wire = new WireReader(Buffer.alloc(0));
  const hash = createHash('sha256');
  let saved: SavedStates | undefined;
  let groups = 0;
  let complete = false;

  const take = (buf: Buffer, start: number, bodyStart: number, end: number): void => {
    if (complete) malformed('nothing after the trailer', 'more bytes');
    const fields = readFields(wire, buf, bodyStart, end);
    if (saved === undefined) {
      if (fields.texts[0] !== FORMAT) malformed(FORMAT, fields.texts[0] ?? 'no header');
      saved = {
        states: new GroupStates({ scheme: schemeOf(fields.scheme), ...options }),
        synchronizer: fields.bytes?.toString('utf8') ?? '',
      };
    } else if (fields.sha256 !== undefined) {
      if (fields.groups !== groups) malformed(`${fields.groups} groups`, `${groups} groups`);
      const found = hash.digest();
      if (!found.equals(fields.sha256)) malformed('the SHA-256 in the trailer', found.toString('hex'));
      complete = true;
      return;
    } else {
      if (fields.texts.length === 0 || fields.contracts < 1 || fields.bytes?.length !== LTHASH_BYTES) {
        malformed('parties, a number of contracts and a state of 2048 bytes', `group ${groups}`);
      }
      if (saved.states.stateOf(fields.texts) !== undefined) malformed('each group once', `group ${groups}`);
      saved.states.merge(fields.texts, fields.contracts, fields.bytes!);
      groups++;
    }
    hash.update(buf.subarray(start, end));
  };

  try {
    for await (const chunk of readChunks(input)) frames.push(chunk, take);
    frames.finish();
    if (saved === undefined || !complete) malformed('a trailer', 'the end of the file');
    return saved;
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
    const own = /^(FRAME|WIRE)_/.test(error.code)
      ? new AcsError('GROUP_STATES_MALFORMED', `not a file of group states: ${error.message}`, {
          cause: error,
        })
      : error;
    throw own.locate({ file: inputName(input), record: frames.count });
  }
}

interface Fields {
  /** Field 1, each occurrence. */
  texts: string[];
  scheme: string;
  contracts: number;
  /** Field 3: the state, or the synchronizer's name in the header. */
  bytes: Buffer | undefined;
  groups: number;
  sha256: Buffer | undefined;
}

function readFields(r: WireReader, buf: Buffer, start: number, end: number): Fields {
  r.reset(buf, start, end);
  const fields: Fields = {
    texts: [],
    scheme: '',
    contracts: 0,
    bytes: undefined,
    groups: -1,
    sha256: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) fields.texts.push(r.string());
    else if (tag === 0x12) fields.scheme = r.string();
    else if (tag === 0x10) fields.contracts = toCount(r.uint64());
    else if (tag === 0x1a) fields.bytes = r.bytes();
    else if (tag === 14 * 8) fields.groups = toCount(r.uint64());
    else if (tag === 15 * 8 + 2) fields.sha256 = r.bytes();
    else malformed('a known field', `field ${tag >>> 3}`);
  }
  return fields;
}

function toCount(n: bigint): number {
  if (n > BigInt(Number.MAX_SAFE_INTEGER)) malformed('a count below 2^53', String(n));
  return Number(n);
}

function malformed(expected: string, found: string): never {
  throw new AcsError('GROUP_STATES_MALFORMED', 'not a complete file of group states', { expected, found });
}
