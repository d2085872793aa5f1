/**
 * Reading what a survey found readable, stretch by stretch, through the search for records; and the question asked
 * before anything is kept: do the records themselves show damage that the container does not?
 */
import type { ByteSource } from './byteSource.js';
import { runDeflate } from './deflateRun.js';
import { type FrameRecovery, frameRecovery } from './frameRecovery.js';
import type { GzipSurvey, Stretch } from './gzipSurvey.js';

/** The stretches of a compressed file; undefined for a file that is not compressed. */
export type Readable = Pick<GzipSurvey, 'stretches'> | undefined;

export interface StretchHooks {
  /** Before the first byte of a stretch. */
  begin?(stretch: Stretch): void;
  /** After each chunk. */
  chunk?(): Promise<void>;
}

const PLAIN_CHUNK = 1 << 20;

/** A file that is not compressed is one stretch, read as `plainTrust` says. */
export async function readStretches(
  source: ByteSource,
  readable: Readable,
  frames: FrameRecovery,
  hooks: StretchHooks & { plainTrust?: Stretch['trust'] } = {},
): Promise<void> {
  if (readable === undefined) {
    frames.begin(true, hooks.plainTrust ?? 'unchecked');
    for (let at = 0; at < source.size; at += PLAIN_CHUNK) {
      frames.push(await source.read(at, PLAIN_CHUNK));
      await hooks.chunk?.();
    }
    frames.end(false);
    return;
  }
  for (const [i, stretch] of readable.stretches.entries()) {
    hooks.begin?.(stretch);
    if (stretch.continues) frames.trust(stretch.trust);
    else frames.begin(stretch.inStep, stretch.trust);
    await runDeflate(source, { start: stretch.start, limit: stretch.end }, async (bytes) => {
      frames.push(bytes);
      await hooks.chunk?.();
    });
    if (readable.stretches[i + 1]?.continues !== true) frames.end(stretch.outcome !== 'end');
  }
}

/**
 * True when records are damaged anywhere but at an end that is missing. A deflate stream that seems to be cut can have
 * been altered long before: the first record that does not decode tells, and then nothing read before it is beyond doubt
 * either. The last record of a cut file is incomplete without proving anything.
 */
export async function recordsShowDamage(
  source: ByteSource,
  readable: Readable,
  limits: { maxRecordBytes: number; chunk?: () => Promise<void> },
): Promise<boolean> {
  let incomplete = false;
  let damaged = false;
  const frames = frameRecovery({
    maxRecordBytes: limits.maxRecordBytes,
    keep: () => {
      damaged ||= incomplete;
    },
    lost: (loss) => {
      damaged ||= incomplete || loss.code !== 'FRAME_TRUNCATED';
      incomplete = true;
    },
  });
  await readStretches(source, readable, frames, { chunk: limits.chunk });
  const mayEndInside = readable === undefined || readable.stretches.at(-1)?.outcome === 'cut';
  return damaged || (incomplete && !mayEndInside);
}
