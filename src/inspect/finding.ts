/** What an inspection found wrong, in one shape for every command. */
import type { AcsError, Place } from '../io/error.js';

/** `error`: a real import refuses it or loses it; `warning`: worth knowing before an import. */
export type Severity = 'error' | 'warning';

/** In the order in which they are checked. */
export type Level = 'gzip' | 'frames' | 'messages' | 'blob' | 'cross-record' | 'authenticity';

export interface Finding extends Place {
  level: Level;
  severity: Severity;
  /** Stable; listed in docs/FORMAT.md. */
  code: string;
  message: string;
  expected?: string;
  found?: string;
}

/** An {@link AcsError} as a finding. */
export function fromError(error: AcsError, level: Level): Finding {
  const finding: Finding = {
    level,
    severity: 'error',
    code: error.code,
    message: error.message,
    ...error.place,
  };
  if (error.expected !== undefined) finding.expected = error.expected;
  if (error.found !== undefined) finding.found = error.found;
  return finding;
}
