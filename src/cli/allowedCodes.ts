/** `--allow CODE`: findings that are no reason to fail. */
import type { CliContext } from './context.js';

/** The codes of all `--allow` options; each may hold several, separated by commas. */
export function allowedCodes(options: readonly string[]): ReadonlySet<string> {
  return new Set(options.flatMap((codes) => codes.split(',').map((code) => code.trim())));
}

/**
 * Names the allowed codes that were not found. To be called when a command fails for its findings: a code written wrong
 * would otherwise make it fail for no visible reason.
 */
export function warnOfUnusedCodes(
  allowed: ReadonlySet<string>,
  found: ReadonlySet<string>,
  context: CliContext,
): void {
  for (const code of allowed) {
    if (found.has(code)) continue;
    context.warn({
      code: 'ALLOWED_NOT_FOUND',
      message: `--allow ${code}: there is no such finding; found: ${[...found].sort().join(', ')}`,
    });
  }
}
