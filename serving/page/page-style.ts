/** Style sheet of the page; follows the reader's light or dark setting, and narrow screens. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --quiet: #566174; --line: #d9dee6; --page: #f6f7f9; --card: #fff; --accent: #1a5fd0; --on-accent: #fff; --good: #1f7336; --warn: #9a5200; --bad: #b3261e; --bar: #c9dcfb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --quiet: #9aa5b5; --line: #343c48; --page: #14181f; --card: #1c222b; --accent: #7fb2ff; --on-accent: #10141a; --good: #6fce84; --warn: #ffb566; --bad: #ff8a80; --bar: #2b4670; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
.skip { position: absolute; left: -999px; } .skip:focus { left: 12px; top: 8px; background: var(--card); padding: 6px 12px; }
header, main { max-width: 1080px; margin: 0 auto; padding: 0 20px; } header { padding-top: 28px; padding-bottom: 12px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 16px; margin: 0 0 10px; }
p { margin: 4px 0; } .quiet { color: var(--quiet); } .good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
a { color: var(--accent); } code, .hash { font: 12.5px ui-monospace, monospace; overflow-wrap: anywhere; }
main { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; padding-bottom: 40px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; min-width: 0; } .whole { grid-column: 1 / -1; } .tall { grid-row: span 2; align-self: start; } th.bar { width: 75%; } .short th { white-space: nowrap; }
@media (max-width: 760px) { main { grid-template-columns: 1fr; } }
caption { text-align: left; padding-bottom: 4px; } table { border-collapse: collapse; width: 100%; font-size: 14px; } th, td { padding: 5px 10px 5px 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; } tr:last-child > * { border-bottom: 0; }
th { font-weight: 500; } thead th { color: var(--quiet); } tbody th { color: var(--quiet); } .n { text-align: right; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; } td { overflow-wrap: anywhere; }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 999px; padding: 1px 10px; font-size: 13px; font-weight: 600; margin-right: 8px; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 10px 16px; } .field { display: flex; flex-direction: column; } .field label { margin-top: auto; font-size: 13px; overflow-wrap: anywhere; }
input, select, button { font: inherit; color: inherit; } input, select { width: 100%; padding: 6px 8px; background: var(--page); border: 1px solid var(--quiet); border-radius: 6px; }
input[aria-invalid='true'], select[aria-invalid='true'] { border-color: var(--bad); } .mistake { color: var(--bad); font-size: 13px; min-height: 1px; }
button { margin-top: 14px; padding: 7px 18px; border: 0; border-radius: 6px; background: var(--accent); color: var(--on-accent); font-weight: 600; cursor: pointer; } button[disabled] { opacity: .6; cursor: progress; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.answer { margin-top: 14px; padding-top: 12px; border-top: 1px solid var(--line); } .answer:empty { display: none; } .answer strong { font-size: 20px; overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(120px, 1fr)); gap: 10px; margin: 0 0 12px; } .figures div { min-width: 0; } dt { color: var(--quiet); font-size: 13px; } dd { margin: 0; font-size: 20px; font-variant-numeric: tabular-nums; }
.bar { position: relative; } .bar progress { position: absolute; inset: 3px 0; width: 100%; height: calc(100% - 6px); appearance: none; border: 0; background: none; z-index: 0; } .bar progress::-webkit-progress-bar { background: none; } .bar progress::-webkit-progress-value { background: var(--bar); border-radius: 3px; } .bar progress::-moz-progress-bar { background: var(--bar); border-radius: 3px; } .bar span { position: relative; z-index: 1; padding-left: 6px; }
`;
