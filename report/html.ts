import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { SNAPSHOT_ELEMENT, type Snapshot } from './protocol.ts';

/** Where the page gets its numbers: from a server, or from a snapshot inside the file. */
export type PageContent = { kind: 'live'; origin: string } | { kind: 'file'; snapshot: Snapshot };

let assets: Promise<{ script: string; style: string }> | undefined;

/** The report page as one self-contained HTML document with script, style and, in a file, all numbers. */
export async function pageHtml(content: PageContent): Promise<string> {
  assets ??= bundle();
  const { script, style } = await assets;
  const origin = content.kind === 'live' ? content.origin : content.snapshot.origin;
  const hash = createHash('sha256').update(script).digest('base64');
  // A file connects to nothing; a served page connects to its own server only.
  const connect = content.kind === 'live' ? "'self'" : "'none'";
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const snapshot =
    content.kind === 'file'
      ? `<script type="application/octet-stream" id="${SNAPSHOT_ELEMENT}">${packed(content.snapshot)}</script>`
      : '';
  const how =
    content.kind === 'live'
      ? 'It updates as polls come in.'
      : 'This is a snapshot; all numbers are in this file.';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Crypto market insights</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header class="masthead page">
<h1>Crypto market insights</h1>
<p class="lead">What a currency cost and how wildly it moves, as of <time id="clock">…</time>, from ${escaped(origin)}. ${how}</p>
</header>
<nav class="toolbar" aria-label="What to show">
<div class="page">
<div class="picker"><label for="currency">Currency</label> <input id="currency" type="text" role="combobox" aria-expanded="false" aria-autocomplete="list" aria-controls="currency-list" autocomplete="off" spellcheck="false"><div class="offered" hidden><ul id="currency-list" role="listbox" aria-label="Currencies"></ul><p id="currency-count" role="status"></p></div></div>
<label>Window <select id="window"></select></label>
</div>
</nav>
<main class="page">
<p class="alert" id="alert" role="alert" hidden></p>
<p class="unseen" id="announcement" role="status"></p>
<p class="nothing-yet" id="nothing" hidden>Nothing is stored yet. The first polls arrive within seconds of “npm start”, or within two minutes on AWS, and will appear here.</p>
<section class="summary" id="summary" aria-labelledby="summary-title" hidden></section>
<div id="pictures"></div>
</main>
<footer class="page">
<p>All times are UTC. Prices are in the quote currency, changes and sizes in per cent. Candles and moves cover closed hours only. Charts are drawn with Vega and Vega-Lite (BSD-3-Clause, University of Washington Interactive Data Lab).</p>
</footer>
${snapshot}
<script type="module">${script}</script>
</body>
</html>
`;
}

/** Gzipped JSON in base64: a tenth of the size, and nothing in it that HTML would interpret. */
function packed(snapshot: Snapshot): string {
  return gzipSync(JSON.stringify(snapshot), { level: 9 }).toString('base64');
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

async function bundle(): Promise<{ script: string; style: string }> {
  const file = (name: string) => fileURLToPath(new URL(`page/${name}`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [file('page.ts'), file('page.css')],
    outdir: 'page',
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  const text = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
  // The one sequence that would end the script element.
  return { script: text('.js').replaceAll('</script', '<\\/script'), style: text('.css') };
}
