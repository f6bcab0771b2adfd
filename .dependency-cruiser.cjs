// Folder ranks: a file imports only from its own folder or from folders on a lower shelf. Type-only imports obey too.
const shelves = [
  ['audio', 'codec', 'container', 'sdp'],
  ['rtp', 'sip', 'timeline', 'spool', 'quality'],
  ['render', 'media'],
  ['recording'],
  ['worker', 'database', 'auth'],
  ['transcription'],
  ['callbacks', 'delivery'],
  ['transcripts'],
  ['playback'],
  ['speech'],
  ['call', 'routing', 'admission'],
  ['script'],
  ['dialects', 'api'],
  ['testkit'],
  ['cli'],
];
const upward = shelves.flatMap((shelf, rank) =>
  shelf.map((folder) => ({
    name: `import-points-down-${folder}`,
    comment: 'Imports point down (docs/design.md, "The house").',
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: {
      path: `^src/(${shelves
        .flatMap((other, otherRank) => (otherRank >= rank ? other : []))
        .filter((other) => other !== folder)
        .join('|')})/`,
    },
  })),
);
module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    // It does not know of node:ffi yet.
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(node:)?ffi$' },
    },
    {
      name: 'product-never-imports-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(test|demo|bench)/' },
    },
    {
      name: 'ground-imports-nothing-above',
      severity: 'error',
      from: { path: '^src/(clock|errors|secret|ids|state-machine|logger)\\.ts$' },
      to: { path: '^src/[a-z]+/' },
    },
    ...upward,
    {
      name: 'sdk-stands-alone',
      comment: 'Application writers load it without the server and its dependencies, in older Nodes too.',
      severity: 'error',
      from: { path: '^src/sdk/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^(src/sdk/|src/clock\\.ts$|(node:)?crypto$)' },
    },
    {
      name: 'server-does-not-import-sdk',
      severity: 'error',
      from: { path: '^src/(?!sdk/)' },
      to: { path: '^src/sdk/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
