import { type Evaluation } from '../../contracts/stage';
import { figure, percent } from './figures';
import { type Markup, markup, NOTHING } from './markup';

/** What buy, hold and sell came to on the held-out rows. */
export function signalSection({ signal }: Evaluation): Markup {
  if (signal === undefined) return NOTHING;
  const { from, buy, sell, rows, right, signals } = signal;
  const share = (part: number, whole: number): string => (whole === 0 ? '' : percent(part / whole));
  return markup`<h2>Signals</h2>
<p>Say <b>buy</b> where the prediction is at least ${percent(buy)} above <b>${from}</b>, <b>sell</b> where it is ${percent(sell)} or less; else hold. ${share(right, rows)} of ${figure(rows)} held-out rows are right.</p>
<div class="wide"><table><thead><tr><th>signal</th><th class="n">said</th><th class="n">was right</th><th class="n">came</th><th class="n">of those found</th><th class="n">real change, mean</th></tr></thead><tbody>${signals.map(
    (one) =>
      markup`<tr><th scope="row">${one.signal}</th><td class="n">${figure(one.rows)}</td><td class="n">${share(one.right, one.rows)}</td><td class="n">${figure(one.came)}</td><td class="n">${share(one.right, one.came)}</td><td class="n">${one.meanChange === null ? '' : percent(one.meanChange)}</td></tr>`,
  )}</tbody></table></div>`;
}
