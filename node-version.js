// Loaded first, by whatever Node there is: an old one cannot load TypeScript, and its own error does not say why.
const NEEDED = 24;

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  console.error(
    `Node.js ${NEEDED} or later is needed, but ${process.execPath} is ${process.version}. On Linux and on Macs with an Intel ` +
      `processor "npm ci" installs it, and commands that start with npm or npx use it. Elsewhere (here: ` +
      `${process.platform} ${process.arch}), install it yourself, for example with "nvm install ${NEEDED}".`,
  );
  process.exit(1);
}
