#!/bin/sh
# The shared job as one command: reads the vendors of 127.0.0.1:19301 and writes the valid ones to 127.0.0.1:19302, then
# ends. State stands in ISTHMUS_HOME (default: .isthmus in the project); started again it goes on where it was.
here=$(cd "$(dirname "$0")" && pwd)
exec "${PYTHON:-$here/../.venv/bin/python}" -m isthmus.cli.main sync --project "$here/shared_job" "$@"
