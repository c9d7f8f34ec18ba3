import { Markup } from './markup';

/** Style sheet of the report; follows the reader's light or dark setting. */
export const STYLE = new Markup(`
:root { --ink: #1c2430; --quiet: #5d6878; --line: #d9dee6; --page: #fff; --soft: #f4f6f9; --s0: #1f6feb; --s1: #c2570c; --s2: #2e8540; --s3: #8250df; --bad: #b3261e; --good: #2e8540; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --quiet: #9aa5b5; --line: #343c48; --page: #14181f; --soft: #1c222b; --s0: #6ea8ff; --s1: #ff9f5a; --s2: #6fce84; --s3: #c2a1ff; --bad: #ff8a80; --good: #6fce84; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px; max-width: 1060px; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 32px 0 8px; border-bottom: 1px solid var(--line); padding-bottom: 4px; }
p { margin: 4px 0; } .quiet { color: var(--quiet); } .bad { color: var(--bad); } .good { color: var(--good); }
table { border-collapse: collapse; font-size: 14px; } th, td { padding: 4px 10px; text-align: left; border-bottom: 1px solid var(--line); vertical-align: middle; }
thead th { color: var(--quiet); font-weight: 600; } tbody th { font-weight: 500; } .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide { overflow-x: auto; } .plots { display: flex; flex-wrap: wrap; gap: 16px; } figure { margin: 0; width: 320px; } figcaption { font-size: 13px; } .key { margin-right: 12px; } .key::before { content: '■ '; }
.key.s0 { color: var(--s0); } .key.s1 { color: var(--s1); } .key.s2 { color: var(--s2); } .key.s3 { color: var(--s3); }
svg { display: block; width: 100%; height: auto; font: 10px system-ui, sans-serif; } svg text { fill: var(--quiet); } svg .title { fill: var(--ink); font-size: 12px; font-weight: 600; }
.grid { stroke: var(--line); stroke-width: .6; } .diagonal { stroke: var(--quiet); stroke-dasharray: 4 3; } .line { fill: none; stroke-width: 1.8; }
.line.s0 { stroke: var(--s0); } .line.s1 { stroke: var(--s1); } .line.s2 { stroke: var(--s2); } .line.s3 { stroke: var(--s3); } .dot.s0 { fill: var(--s0); } .dot.s1 { fill: var(--s1); } .dot.s2 { fill: var(--s2); } .dot.s3 { fill: var(--s3); } .dot { opacity: .65; }
.bars { width: 100%; max-width: 640px; } .bars caption, table caption { text-align: left; color: var(--quiet); padding: 4px 0; } .bars td:nth-child(2) { width: 60%; } .bar { display: block; height: 12px; background: var(--s0); min-width: 1px; }
.spark { width: 90px; height: 22px; } .spark rect { fill: var(--s0); } .heat td { text-align: right; min-width: 56px; } .hash { font: 12px ui-monospace, monospace; overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; } h2 { break-after: avoid; } figure, table { break-inside: avoid; } }
`);
