/**
 * How far reading is, for progress and ETA: whoever reads a file says how many of its bytes it took, on a diagnostics
 * channel, so that no function between the reader and the one who shows the progress has to carry it along. Costs nothing
 * while nobody listens. The channel belongs to one thread: what reads in a worker has its owner say it ({@link meterRead}).
 */
import { channel } from 'node:diagnostics_channel';
import { resolve } from 'node:path';

/** Name of the channel; its messages are {@link InputRead}. */
export const INPUT_READ_CHANNEL = 'acskit:input-read';

export interface InputRead {
  /** The path as the reader was given it. */
  readonly file: string;
  /** Bytes of the file (compressed, as they lie there) read since the last message. */
  readonly bytes: number;
}

const inputRead = channel(INPUT_READ_CHANNEL);

/** Says that `bytes` more of a file were read. */
export function meterRead(file: string, bytes: number): void {
  if (inputRead.hasSubscribers) inputRead.publish({ file, bytes } satisfies InputRead);
}

/** Calls `listener` with the bytes read of any of these files, until the function that is returned is called. */
export function onReadOf(files: readonly string[], listener: (bytes: number) => void): () => void {
  const wanted = new Set(files.map((file) => resolve(file)));
  const hear = (message: unknown): void => {
    const { file, bytes } = message as InputRead;
    if (wanted.has(resolve(file))) listener(bytes);
  };
  inputRead.subscribe(hear);
  return () => {
    inputRead.unsubscribe(hear);
  };
}
