// Rewrites docs/CLI.md from the real help. Run `npm run build` first.
import { writeFileSync } from 'node:fs';
import { commandReference } from '../dist/cli/reference.js';

writeFileSync(new URL('../docs/CLI.md', import.meta.url), await commandReference());
