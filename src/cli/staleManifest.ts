/** A file written without manifest may have replaced one that had a manifest, which stays beside it and fits no more. */
import { manifestPath, readManifest } from '../contract/manifest.js';
import { AcsError } from '../io/error.js';
import type { CliContext } from './context.js';

/** To be called when the output has its name. Warns `MANIFEST_STALE`. */
export async function warnOfStaleManifest(
  { output, manifest }: { output: string; manifest: boolean },
  context: CliContext,
): Promise<void> {
  if (manifest) return;
  const problem = await readManifest(output).catch((error: unknown) => error);
  if (!(problem instanceof AcsError) || problem.code !== 'MANIFEST_STALE') return;
  const file = manifestPath(output);
  context.warn({
    code: problem.code,
    message: `${file} describes the file that was replaced: remove it, or write the manifest anew with --manifest`,
    file,
  });
}
