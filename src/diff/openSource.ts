/** Inputs of a comparison as a user names them: `FILE` or `PARTICIPANT=FILE`. */
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { type HostingMap, participantUid } from '../commitment/hostingMap.js';
import { AcsError } from '../io/error.js';
import { fileError } from '../io/input.js';
import type { ScanOptions } from '../snapshot/scan.js';
import { type DiffSource, openedCommitmentSource, snapshotSource } from './source.js';

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
 * Opens an input: a snapshot file or an opened commitment, told apart by the first bytes. With a hosting map the
 * participant is found by the name before `=`, by the manifest, or by the file's name without its endings.
 */
export async function openDiffSource(text: string, options: OpenSourceOptions = {}): Promise<DiffSource> {
  const spec = parseInputSpec(text);
  const { hosting } = options;
  const stem = basename(spec.path).replace(/\..*$/, '');
  let participant: string | undefined;
  let name = spec.name;
  if (hosting !== undefined) {
    const known = hosting.participants.find((p) => p.name === stem);
    if (spec.name !== undefined) participant = participantUid(hosting, spec.name);
    else if (known !== undefined) participant = known.uid;
    name ??= known?.name;
  }
  const source = await openFile(spec.path, {
    name: name ?? spec.path,
    participant,
    scan: options.scan,
    recordTimes: options.recordTimes?.get(name ?? spec.path) ?? options.recordTimes?.get(participant ?? ''),
  });
  return source;
}

async function openFile(path: string, options: Parameters<typeof snapshotSource>[1]): Promise<DiffSource> {
  return path !== '-' && isOpenedCommitment(await firstBytes(path))
    ? openedCommitmentSource(path, options)
    : snapshotSource(path, options);
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
