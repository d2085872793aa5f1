/** Inflates a file with the piece index of its manifest, with as many threads as `acs` gives itself. */
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(2, require('node:os').availableParallelism()));

async function main(file) {
  const { readManifest } = await import('../../dist/contract/manifest.js');
  const { inflatePieces } = await import('../../dist/snapshot/pieces.js');
  const { emptyGzipFacts } = await import('../../dist/wire/inflate.js');
  const manifest = await readManifest(file);
  if (manifest === undefined) throw new Error(`${file} has no manifest`);
  let bytes = 0;
  for await (const chunk of inflatePieces(file, manifest.pieces, emptyGzipFacts())) bytes += chunk.length;
  process.stdout.write(`${bytes}\n`);
}

main(process.argv[2]);
