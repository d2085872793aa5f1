/** Bytes behind the last gzip member of an input: commands that copy records leave them behind, and say so. */
import type { SnapshotFacts } from '../snapshot/scan.js';
import type { CliContext } from './context.js';

export interface TrailingBytes {
  /** For the scan of each input. */
  readonly onFacts: (facts: SnapshotFacts) => void;
  /** To be called when the inputs have been read. Zeros are padding and not worth a word. */
  warn(context: CliContext): void;
}

export function watchTrailingBytes(): TrailingBytes {
  const inputs = new Set<SnapshotFacts>();
  return {
    onFacts: (facts) => inputs.add(facts),
    warn(context) {
      for (const { name, gzip } of inputs) {
        if (gzip.trailingBytes === 0 || gzip.trailingZeros) continue;
        context.warn({
          code: 'GZIP_TRAILING_BYTES',
          message: `${gzip.trailingBytes} bytes behind the last gzip member of ${name} were not read, as Canton would not; \`acs recover\` looks into them`,
          file: name,
          count: gzip.trailingBytes,
        });
      }
    },
  };
}
