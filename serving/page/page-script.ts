/**
 * What the page does in the browser: sends the form as JSON to `/predict`, and reads the counters every two seconds while it can be seen.
 * Written into the page as text only, never as markup.
 */
export const PAGE_SCRIPT = `'use strict';
(() => {
  const make = (name, text) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const figure = (value) => (Number.isInteger(value) ? value.toLocaleString('en-US') : String(Number(value.toPrecision(5))));

  const table = (caption, entries, share) => {
    const made = make('table');
    const title = made.appendChild(make('caption', caption));
    title.className = 'quiet';
    const body = made.appendChild(make('tbody'));
    for (const [name, value] of entries) {
      const row = body.appendChild(make('tr'));
      const head = row.appendChild(make('th'));
      head.scope = 'row';
      head.className = 'bar';
      const bar = make('progress');
      bar.max = 1;
      bar.value = share(value);
      bar.setAttribute('aria-hidden', 'true');
      head.append(bar, make('span', name));
      const cell = row.appendChild(make('td', figure(value)));
      cell.className = 'n';
    }
    return made;
  };

  const form = document.getElementById('try');
  const answer = document.getElementById('answer');
  const fields = form ? [...form.querySelectorAll('[data-column]')] : [];

  const valueOf = ({ value, dataset }) => {
    if (value === '' && dataset.empty === 'left out') return undefined;
    if (value === '' && (dataset.empty === 'null' || dataset.type !== 'text')) return null;
    if (dataset.type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
    if (dataset.type === 'number' || dataset.type === 'integer') {
      const number = Number(value);
      return Number.isFinite(number) ? number : value;
    }
    return value;
  };

  const mark = (field, text) => {
    const place = document.getElementById(field.getAttribute('aria-describedby'));
    field.setAttribute('aria-invalid', text === '' ? 'false' : 'true');
    if (place) place.textContent = text;
  };

  const refused = (problem) => {
    const errors = Array.isArray(problem.errors) ? problem.errors : [];
    let first = null;
    const rest = [];
    for (const { field: name, seen, expected } of errors) {
      const field = fields.find((one) => one.dataset.column === name);
      const text = 'expected ' + expected + ', got ' + seen;
      if (field) {
        mark(field, text);
        first = first || field;
      } else rest.push(name + ': ' + text);
    }
    const lines = errors.length === 0 || rest.length > 0 ? [problem.detail || problem.title || 'refused', ...rest] : ['Some fields are not as the model takes them.'];
    answer.replaceChildren(...lines.map((line) => Object.assign(make('p', line), { className: 'bad' })));
    if (first) first.focus();
  };

  const answered = (reply) => {
    const line = make('p', 'Prediction: ');
    line.append(make('strong', String(typeof reply.prediction === 'number' ? figure(reply.prediction) : reply.prediction)));
    const parts = [line];
    if (typeof reply.probability === 'number') parts.push(make('p', 'Probability ' + figure(reply.probability)));
    if (reply.cutoff && reply.decision !== null && reply.decision !== undefined) {
      parts.push(make('p', 'Decision ' + reply.decision + ': ' + reply.cutoff.positive + ' is decided for from a probability of ' + figure(reply.cutoff.threshold) + ' on'));
    }
    if (reply.probabilities && typeof reply.probabilities === 'object') {
      parts.push(table('Probabilities by class', Object.entries(reply.probabilities), (value) => value));
    }
    const small = make('p', 'By version ' + reply.model_version + ', request ' + reply.request_id);
    small.className = 'quiet';
    answer.replaceChildren(...parts, small);
  };

  if (form) {
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const button = form.querySelector('button');
      button.disabled = true;
      for (const field of fields) mark(field, '');
      try {
        const row = Object.fromEntries(fields.map((field) => [field.dataset.column, valueOf(field)]));
        const response = await fetch('/predict', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ rows: [row] }),
        });
        const reply = await response.json();
        if (response.ok) answered({ ...reply, ...reply.predictions[0] });
        else refused(reply);
      } catch {
        refused({ detail: 'The API did not answer; is it still running?' });
      } finally {
        button.disabled = false;
      }
      refresh();
    });
  }

  const live = document.getElementById('live');
  const shownVersion = document.body.dataset.version;
  let failures = 0;

  async function refresh() {
    try {
      const response = await fetch('/ui/live.json');
      if (!response.ok) throw new Error(String(response.status));
      show(await response.json());
      failures = 0;
    } catch {
      failures += 1;
      if (failures === 2) document.getElementById('state').textContent = 'The API does not answer';
    }
  }

  function show(state) {
    document.getElementById('state').textContent = state.words;
    document.getElementById('why').textContent = state.why || '';
    if (state.version !== shownVersion) {
      const note = document.getElementById('moved');
      note.hidden = false;
      note.querySelector('span').textContent = state.version === null ? 'no version' : 'version ' + state.version;
    }
    for (const [name, value] of Object.entries(state.figures)) {
      const place = live.querySelector('[data-figure="' + name + '"]');
      if (place) place.textContent = value === null ? '–' : figure(value);
    }
    const classes = document.getElementById('classes');
    const entries = Object.entries(state.classes);
    const total = entries.reduce((sum, [, rows]) => sum + rows, 0);
    classes.replaceChildren(...(total === 0 ? [] : [table('Predictions by class since this version was loaded', entries, (rows) => rows / total)]));
  }

  refresh();
  setInterval(() => {
    if (document.visibilityState === 'visible') refresh();
  }, 2000);
})();
`;
