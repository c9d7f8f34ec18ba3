import { type Command } from 'commander';
import { type CommandModule } from '../command';
import { answerCommand } from '../steward/answer-command';

export const reject: CommandModule = {
  define(program: Command) {
    answerCommand(program, {
      name: 'reject',
      description: 'leave a candidate in staging that waits for approval',
      done: 'stays in staging',
      example: 'retrain reject iris-classifier --version 3 --reason "worse for Oslo"',
    });
  },
};
