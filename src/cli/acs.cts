#!/usr/bin/env node
/**
 * The `acs` program as it is started: settles how many threads deflate and inflate get, which can only be done before the
 * first of them is asked for (so before any ES module is loaded), and goes on in main.ts.
 *
 * Node's default of four threads is too many for two processors: six threads that take each other's place made
 * `filter` an eighth slower (bench/README.md). It is too few for eight. Reading files goes through the same threads.
 */
import os = require('node:os');

process.env.UV_THREADPOOL_SIZE ??= String(Math.max(2, os.availableParallelism()));
void import('./main.js');
