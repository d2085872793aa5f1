/**
 * Inputs of a comparison as a user names them: `FILE` or `PARTICIPANT=FILE`. A store is written `STORE`, `STORE#SOURCE`
 * when it holds several participants, `STORE@OFFSET` for another offset than its last one.
 */
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { type HostingMap, participantUid } from '../commitment/hostingMap.js';
import { AcsError, usageError } from '../io/error.js';
import { fileError } from '../io/input.js';
import { canReadTwice } from '../io/readTwice.js';
import type { ScanOptions } from '../snapshot/scan.js';
import { type DiffSource, openedCommitmentSource, snapshotSource } from './diffSource.js';
import type * as StoreSource from './storeSource.js';

export interface InputSpec {
  /** What stands before `=`. */
  name: string | undefined;
  path: string;
}

/** `PARTICIPANT=FILE` or `FILE`. A file whose own name holds `=` is written `./a=b`. */
export function parseInputSpec(text: string): InputSpec {
  const at = text.indexOf('=');
  if (at <= 0 || text.slice(0, at).includes('/')) return { name: undefined, path: text };
  return { name: text.slice(0, at), path: text.slice(at + 1) };
}

export interface OpenSourceOptions {
  hosting?: HostingMap | undefined;
  scan?: ScanOptions | undefined;
  /** Record time per participant name or uid, and synchronizer. */
  recordTimes?: ReadonlyMap<string, ReadonlyMap<string, bigint>> | undefined;
}

/**
 * Opens an input: a snapshot file, a store or an opened commitment, told apart by the first bytes. A record time given
 * for a store chooses its offset; for a file it says when it was cut. With a hosting map the
 * participant is found by the name before `=`, by the manifest, by what the store says, or by the file's name without its
 * endings.
 */
export async function openDiffSource(text: string, options: OpenSourceOptions = {}): Promise<DiffSource> {
  const spec = parseInputSpec(text);
  const { hosting } = options;
  const store = await storeSpec(spec.path);
  // A store that holds one participant says by itself whose view it is.
  const only =
    store !== undefined && store.source === undefined && spec.name === undefined && hosting !== undefined
      ? (await openStore(store.path)).name
      : undefined;
  const stem =
    store?.source ??
    hosting?.participants.find((p) => p.name === only)?.name ??
    basename(store?.path ?? spec.path).replace(/\..*$/, '');
  let participant: string | undefined;
  let name = spec.name;
  if (hosting !== undefined) {
    const known = hosting.participants.find((p) => p.name === stem);
    if (spec.name !== undefined) participant = participantUid(hosting, spec.name);
    else if (known !== undefined) participant = known.uid;
    name ??= known?.name;
  }
  name ??= spec.path;
  const recordTimes = options.recordTimes?.get(name) ?? options.recordTimes?.get(participant ?? '');
  if (store !== undefined) {
    const [at] = [...(recordTimes ?? [])].map(([synchronizer, recordTime]) => ({ synchronizer, recordTime }));
    if (at !== undefined && store.offset !== undefined) {
      throw usageError(`${text}: an offset and a record time`, 'leave out one of them');
    }
    return openStore(store.path, { source: store.source, offset: store.offset, at, name, participant });
  }
  const file = { name, participant, scan: options.scan, recordTimes };
  return !(await isPipe(spec.path)) && isOpenedCommitment(await firstBytes(spec.path))
    ? openedCommitmentSource(spec.path, file)
    : snapshotSource(spec.path, file);
}

/** What reads stores is loaded when there is one: that takes as long as loading all the rest of a comparison. */
async function openStore(...args: Parameters<typeof StoreSource.storeSource>): Promise<DiffSource> {
  const { storeSource } = await import('./storeSource.js');
  return storeSource(...args);
}

interface StoreSpec {
  path: string;
  source: string | undefined;
  offset: bigint | undefined;
}

/** `STORE[#SOURCE][@OFFSET]`, when STORE is a database; undefined for other files. */
async function storeSpec(text: string): Promise<StoreSpec | undefined> {
  if (await isPipe(text)) return undefined;
  const match = /^(.+?)(?:#([^#@/]+))?(?:@(\d{1,19}))?$/.exec(text);
  const whole = existsSync(text);
  const path = whole || match === null ? text : match[1]!;
  if (!existsSync(path)) return undefined;
  const head = await firstBytes(path);
  if (head.subarray(0, 15).toString('latin1') !== 'SQLite format 3') return undefined;
  if (whole || match === null) return { path, source: undefined, offset: undefined };
  return { path, source: match[2], offset: match[3] === undefined ? undefined : BigInt(match[3]) };
}

/** What gives its bytes once cannot be looked into first: it has to be a snapshot. */
async function isPipe(path: string): Promise<boolean> {
  return !(await canReadTwice(path));
}

/** JSON lines with a contract id, or the frames of a node's reply: length, field 1, length, field 1, an id. */
function isOpenedCommitment(head: Buffer): boolean {
  const text = head
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (text.startsWith('{')) return /^\{\s*"(cid|reassignmentCounter|format"\s*:\s*"acs-open)"?/.test(text);
  return head.length > 5 && head[0]! < 0x80 && head[1] === 0x0a && head[3] === 0x0a && head[5]! <= 1;
}

async function firstBytes(path: string): Promise<Buffer> {
  try {
    const handle = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(256);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw cause instanceof AcsError ? cause : fileError(path, cause);
  }
}
