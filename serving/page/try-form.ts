import { type Markup, markup, NOTHING } from '../../ml/report/markup';
import { type ModelField } from '../model/served-model';
import { type PageModel } from './page-input';

/** A list to choose from is no longer than this; a longer one is a field with suggestions of so many. */
const MOST_CHOICES = 50;
const MOST_SUGGESTIONS = 200;
/** Fields of a form; a model may take thousands. */
const MOST_FIELDS = 300;

/** A form with a field for each column of the model, filled with its example. */
export function formSection({ fields, example }: PageModel): Markup {
  const left = fields.length - MOST_FIELDS;
  return markup`<section class="whole" aria-labelledby="try-title"><h2 id="try-title">Try a prediction</h2>
<noscript><p class="warn">The form needs JavaScript; without it, send the row to <code>POST /predict</code>.</p></noscript>
<form id="try" novalidate autocomplete="off"><div class="fields">${fields
    .slice(0, MOST_FIELDS)
    .map((field, index) => fieldMarkup(field, index, example[field.name]))}</div>
${left > 0 ? markup`<p class="quiet">${left} more columns are sent as missing.</p>` : NOTHING}
<button type="submit">Predict</button></form><div id="answer" class="answer" role="status" aria-live="polite"></div></section>
`;
}

function fieldMarkup(field: ModelField, index: number, given: unknown): Markup {
  const id = `f${index}`;
  const note = `${field.type}${field.optional || field.nullable ? ', may be empty' : ''}`;
  return markup`<div class="field"><label for="${id}">${field.name} <span class="quiet">${note}</span></label>${controlOf(field, id, given)}<div class="mistake" id="${id}-mistake" role="alert"></div></div>`;
}

function controlOf(
  { name, type, optional, nullable, levels }: ModelField,
  id: string,
  given: unknown,
): Markup {
  const value = textOf(given);
  const empty = nullable ? 'null' : optional ? 'left out' : 'sent';
  const shared = markup`id="${id}" data-column="${name}" data-type="${type}" data-empty="${empty}" aria-describedby="${id}-mistake"`;
  const choices = type === 'boolean' ? ['true', 'false'] : levels;
  if (choices !== null && choices.length <= MOST_CHOICES) {
    const known = value === '' || choices.includes(value) ? choices : [value, ...choices];
    const all = empty !== 'sent' || value === '' ? ['', ...known] : known;
    return markup`<select ${shared}>${all.map(
      (choice) =>
        markup`<option value="${choice}"${choice === value ? markup` selected` : NOTHING}>${choice === '' ? '(none)' : choice}</option>`,
    )}</select>`;
  }
  if (choices !== null) {
    return markup`<input ${shared} type="text" value="${value}" list="${id}-list"><datalist id="${id}-list">${choices
      .slice(0, MOST_SUGGESTIONS)
      .map((choice) => markup`<option value="${choice}"></option>`)}</datalist>`;
  }
  const mode = type === 'number' ? 'decimal' : type === 'integer' ? 'numeric' : 'text';
  return markup`<input ${shared} type="text" inputmode="${mode}" value="${value}">`;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 1000);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
