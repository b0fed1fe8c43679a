import sys

from regie.cli.main import main

sys.exit(main())
