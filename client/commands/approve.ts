import { type Command } from 'commander';
import { type CommandModule } from '../command';
import { answerCommand } from '../steward/answer-command';

export const approve: CommandModule = {
  define(program: Command) {
    answerCommand(program, {
      name: 'approve',
      description: 'put a candidate into production that waits for approval',
      done: 'is in production',
      example: 'retrain approve iris-classifier --version 3 --reason "better on every slice"',
    });
  },
};
