/** Records end where their last field that is not None ends (daml-lf spec, sections 3.2 and 3.4). */
import type { LfValue } from '../contract/value.js';

/** How many of the first `limit` fields are left when the trailing Nones are cut. */
export function fieldsWithoutTrailingNones(values: readonly LfValue[], limit = values.length): number {
  let n = Math.min(values.length, limit);
  while (n > 0) {
    const last = values[n - 1];
    if (last.kind !== 'optional' || last.value !== null) break;
    n--;
  }
  return n;
}
