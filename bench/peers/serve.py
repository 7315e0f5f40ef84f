"""The loop of a bench's PyTorch worker: a JSON command a line on stdin, a JSON reply a line on stdout; it ends at `quit` or at the end of stdin."""
import json
import sys


def serve(worker, commands, extra=lambda: {}):
    """Calls the worker's method of each command's name. `extra` adds to a good reply."""
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            command = json.loads(line)
            name = command.pop('cmd')
            if name == 'quit':
                return
            if name not in commands:
                raise ValueError(f'unknown command {name}')
            reply = {'ok': True, 'cmd': name, **getattr(worker, name)(**command), **extra()}
        except Exception as error:  # the bench decides; the worker lives on
            reply = {'ok': False, 'error': f'{type(error).__name__}: {error}'}
        print(json.dumps(reply), flush=True)
