/** Loaded into a task of the bench before anything else: as many threads for zlib as `acs` gives itself (src/cli/acs.cts). */
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(2, require('node:os').availableParallelism()));
