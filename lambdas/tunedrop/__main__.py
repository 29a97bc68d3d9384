"""`python -m tunedrop`: the command line."""

from tunedrop.client.cli.app import main

if __name__ == "__main__":
    main()
