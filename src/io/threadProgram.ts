/** Where the program of a worker thread lies. */

/**
 * The program `name` (without ending) beside the module at `moduleUrl`: next to it once built; from the sources it is the
 * built one that runs, because a thread does not translate TypeScript.
 */
export function threadProgram(moduleUrl: string, name: string): URL {
  if (!moduleUrl.endsWith('.ts')) return new URL(`./${name}.js`, moduleUrl);
  return new URL(`./${name}.js`, moduleUrl.replace(/\/src\/(?!.*\/src\/)/, '/dist/'));
}
