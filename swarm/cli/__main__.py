"""``python -m swarm.cli``: the ``swarm`` command where the script is not on the path."""

from swarm.cli.app import main

if __name__ == "__main__":
    main()
