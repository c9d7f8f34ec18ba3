"""`mlflow server` in one process.

MLflow's own command imports all of MLflow, then starts uvicorn as a second process, which imports it all again: twice the time until
it answers, and 250 MB that nobody uses. Here uvicorn runs in the command's own process. The arguments are those of `mlflow server`.
An MLflow that starts its server in another way (RETRAIN_MLFLOW_PYTHON may have any) does as it always did.
"""

import os
import sys

try:
    # Before MLflow, which refuses foreign hosts and pages only where it finds a server's library loaded.
    import uvicorn
except ImportError:
    uvicorn = None
import mlflow.server

start_process = getattr(mlflow.server, "_exec_cmd", None)


def run(command, *args, extra_env=None, **options):
    """Stands in for MLflow's start of `command`: [python, "-m", "uvicorn", option, …, app], with the variables `extra_env`."""
    if uvicorn is None or list(command[1:3]) != ["-m", "uvicorn"]:
        return start_process(command, *args, extra_env=extra_env, **options)
    os.environ.update(extra_env or {})
    uvicorn.main(command[3:], prog_name="uvicorn")  # ends the process


mlflow.server._exec_cmd = run

if __name__ == "__main__":
    from mlflow.cli import cli

    cli(prog_name="mlflow")
