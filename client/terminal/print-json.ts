import { type JsonCommand, type JsonOutput } from '../../contracts/json-output';
import { screen } from './screen';

/** Prints what a command promises with --json (docs/json.md): one object, on one line. */
export function printJson<C extends JsonCommand>(_command: C, value: JsonOutput[C]): void {
  screen.out(JSON.stringify(value));
}
