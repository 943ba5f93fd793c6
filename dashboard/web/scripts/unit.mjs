// Bundles tests/dashboard/page/*.test.ts (node 18 cannot read TypeScript) and runs them with node's own test runner.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const tests = fileURLToPath(new URL('../../../tests/dashboard/page/', import.meta.url));
const sources = readdirSync(tests).filter((name) => name.endsWith('.test.ts')).map((name) => join(tests, name));
if (sources.length === 0) throw new Error(`no *.test.ts in ${tests}`);

const out = mkdtempSync(join(tmpdir(), 'tidegate-page-'));
try {
  await build({ entryPoints: sources, outdir: out, bundle: true, platform: 'node', format: 'esm', outExtension: { '.js': '.mjs' } });
  const bundles = readdirSync(out).map((name) => join(out, name));
  process.exitCode = spawnSync(process.execPath, ['--test', ...bundles], { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(out, { recursive: true });
}
