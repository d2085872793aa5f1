/** Package versions (daml-lf spec, section 3.5): dot-separated integers; a proper prefix is smaller. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.');
  const right = b.split('.');
  const n = Math.min(left.length, right.length);
  for (let i = 0; i < n; i++) {
    // Integers of any length, without leading zeros: longer is larger.
    if (left[i] === right[i]) continue;
    if (left[i].length !== right[i].length) return left[i].length - right[i].length;
    return left[i] < right[i] ? -1 : 1;
  }
  return left.length - right.length;
}

/** Orders packages of one name: version, then package id. */
export function comparePackages(
  a: { version: string | null; packageId: string },
  b: { version: string | null; packageId: string },
): number {
  if (a.version !== b.version) {
    if (a.version === null) return -1;
    if (b.version === null) return 1;
    const order = compareVersions(a.version, b.version);
    if (order !== 0) return order;
  }
  return a.packageId < b.packageId ? -1 : a.packageId > b.packageId ? 1 : 0;
}
