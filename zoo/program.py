"""What our command lines do alike: parse, help, one-sentence errors, a quiet TensorFlow.

A program defines its flags at import without TensorFlow, so that `--help` answers at once, and
loads the rest in `main`. Exit codes: 0 done, 1 failed, 2 misused.
"""

import os
import re
import signal
import sys
import textwrap

from absl import app, flags, logging

from zoo import limits, texts
from zoo.starting import filtered_stderr, quiet, quiet_errors, quiet_start

__all__ = [
    "end_at_signals",
    "filtered_stderr",
    "name",
    "no_arguments",
    "quiet",
    "quiet_errors",
    "quiet_start",
    "run",
    "telling",
    "usage_error",
]

OURS = ("zoo", "trainers", "export", "benchmarks")

flags.DEFINE_bool("quiet", False, "print results, warnings and errors alone")

HINT = "(--help lists the flags)"
HELP = re.compile(r"--?(h|help(full|short|xml)?)(=.*)?", re.DOTALL)
LONGEST = 300  # characters of a sentence: what a terminal shows in three or four lines

TRACE = re.compile(r"\s|Graph execution error|Detected at node|<stack")


def run(main, usage):
    """Parses the command line, runs `main(arguments)` and exits.

    `usage` is the program's docstring; `--help` prints it and the flags of our modules. Our own
    errors, and the system's on files, end in one sentence on standard error.
    """
    sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be no text at all
    if any(map(HELP.fullmatch, sys.argv[1:])):
        raise SystemExit(_guarded(lambda _: print(help_text(usage)), []))
    app.run(lambda argv: _guarded(main, argv[1:]), flags_parser=_parse)


def no_arguments(arguments):
    """Ends the program where words stand beside its flags, which alone it takes."""
    if arguments:
        usage_error(f"unexpected arguments: {' '.join(arguments)}")


def usage_error(sentence):
    """Ends the program for a command line that cannot be meant; exit code 2."""
    _say(sentence)
    raise SystemExit(2)


def end_at_signals():
    """From here on Ctrl-C and SIGTERM end the process at once: 130 and 143 for a shell.

    Python's own handlers wait for the C++ under way, for ever where it waits itself. A signal that
    the process was started to ignore stays ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def help_text(usage):
    """The docstring, then each flag that one of our modules defines."""
    lines = [usage.strip(), "", "Flags:"]
    for module, defined in flags.FLAGS.flags_by_module_dict().items():
        if module.split(".")[0] in OURS or module == sys.argv[0]:
            lines += [_flag_line(flag) for flag in defined]
    lines += [
        "  --flagfile=FILE  read flags from a file, such as a run's flags.txt",
        "  --verbosity=1  show TensorFlow's own messages too",
    ]
    return "\n".join(lines)


def _flag_line(flag):
    value = "" if flag.boolean else f"={flag.parser.flag_type().upper().split()[0]}"
    if isinstance(flag.parser, flags.EnumParser):
        value = "=" + "|".join(flag.parser.enum_values)
    default = "" if flag.default in (None, False, "") else f" ({flag.default})"
    return textwrap.fill(
        f"--{flag.name}{value}  {flag.help.rpartition('>: ')[2]}{default}",
        width=100,
        initial_indent="  ",
        subsequent_indent="      ",
    )


def _parse(argv):
    """The words that are no flags, behind the program's name; the flags are set, or refused."""
    flags.FLAGS["verbosity"].parser = limits.Parser("verbosity")
    try:
        _check_words(argv)
        words = flags.FLAGS(argv)
        for flag in flags.FLAGS.flags_by_module_dict()["absl.app"]:
            if flag.present:  # a debugger, a profiler: of ours none
                raise flags.UnrecognizedFlagError(flag.name)
        texts.settle_flags(flags.FLAGS)
        return words
    except UnicodeError:
        usage_error("--flagfile: expected lines of flags, got a file that is no text")
    except flags.CantOpenFlagFileError as error:
        usage_error(f"--flagfile: {failure(error.__context__)}")
    except (flags.Error, ValueError) as error:
        usage_error(_refusal(error))


def _refusal(error):
    """The sentence for an error of the flags: ours, which absl has wrapped, or absl's own."""
    if isinstance(limits.told(error), limits.LimitError):
        return limits.told(error)
    if "Non-boolean" in str(error):
        return f"{str(error).partition(': ')[0]}: value should be true or false {HINT}"
    return f"{error} {HINT}"


def _check_words(argv):
    """ValueError for what absl would not refuse, or not soon."""
    for word in argv[1:]:
        if not word:
            raise ValueError("unexpected empty word")
        name = word.partition("=")[0]
        if word.startswith("-") and len(name) > 100:  # absl would look for similar ones at length
            raise flags.UnrecognizedFlagError(limits.shown(name))


def _guarded(main, arguments):
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.ERROR)  # our own words are printed; absl's default is info
    try:
        code = main(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise SystemExit(0) from None
    except Exception as error:
        sentence = failure(error)
        if sentence is None:
            raise
        _say(sentence)
    raise SystemExit(1)


def failure(error):
    """A sentence for what can fail in a program without a mistake in it; else None."""
    origin = type(error).__module__.replace("__main__", name()).split(".")[0]
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
    if isinstance(error, MemoryError):
        return f"the memory is too small: {error or 'take a smaller --batch_size or --image_size'}"
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").split(".")[0]
        if package not in OURS:
            return f"needs the package {package}, which is not installed: BUILD.md lists the extras"
    elif origin in OURS:
        return str(error)
    elif origin == "tensorflow" and not flags.FLAGS.verbosity >= 1:
        return f"TensorFlow: {' '.join(telling(error)[:2])} (--verbosity=1 shows where)"
    return None


def telling(error):
    """The lines of a TensorFlow error that say something, from among its traces."""
    return [line for line in str(error).splitlines() if line and not TRACE.match(line)] or [
        "no reason given"
    ]


def _say(sentence):
    print(_short(f"{name()}: {' '.join(str(sentence).split())}"), file=sys.stderr)


def _short(sentence):
    """At most LONGEST characters, without the middle: the end says what to do."""
    if len(sentence) <= LONGEST:
        return sentence
    end = LONGEST // 3
    return f"{sentence[: LONGEST - end - 5]} ... {sentence[-end:]}"


def name():
    """What the person called: "trainers.classify"."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name.removesuffix(".__main__") if spec else os.path.basename(sys.argv[0])
