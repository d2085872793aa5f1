/** Inflates a file with the piece index of its manifest. */
import { readManifest } from '../../dist/contract/manifest.js';
import { inflatePieces } from '../../dist/snapshot/pieces.js';
import { emptyGzipFacts } from '../../dist/wire/inflate.js';

const file = process.argv[2];
const manifest = await readManifest(file);
if (manifest === undefined) throw new Error(`${file} has no manifest`);
let bytes = 0;
for await (const chunk of inflatePieces(file, manifest.pieces, emptyGzipFacts())) bytes += chunk.length;
process.stdout.write(`${bytes}\n`);
