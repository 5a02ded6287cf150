"""What the columns of a report's CSV files are. docs/reference.md is made of this."""

from collections.abc import Mapping

_SHARED = {
    "stage": "`refine`, `fine-tune`, or a control: `null`, `same-steps` and how many examples, `left-out x`",
    "metric": "the corpus's measure",
    "seed": "the seed that arms are paired by",
    "target": "the corpus whose test score it is",
    "seeds": "how many seeds it rests on",
    "data_source": "`synthetic` or `prepared`",
}
_GAIN = _SHARED | {
    "single": "mean test score of the target alone, further single-task seeds weighted as for the gain",
    "joint": "mean test score of the target with the partner or group",
    "gain": "joint less single, mean over the seeds; empty where a score is undefined in all of them",
    "ci_low": "lower end of the 95 % interval, not adjusted for selection; empty where unknown",
    "ci_high": "its upper end",
    "single_seeds": "how many single-task runs it rests on",
    "se_seeds": "the part of the standard error that more seeds lessen",
    "se_items": "the part that more test items lessen",
    "df_items": "degrees of freedom of `se_items`: fewer than the documents where a few make most of it",
}
_EDGE = _GAIN | {
    "source": "the partner",
    "ci_low_selected": "lower end of a claim's 95 % interval, adjusted for selection (false coverage rate); "
    "this is the one that reports show; empty where nothing is claimed",
    "ci_high_selected": "its upper end",
    "p": "two-sided, corrected for interim analyses where seeds were added as needed",
    "p_adjusted": "corrected over all edges of the grid, those with gains below the smallest effect at p = 1",
    "verdict": "`improves`, `harms`, `no effect` or `inconclusive`",
    "smallest_effect": "the least gain that matters",
    "detectable": "minimum detectable effect: the gain that 80 % of such studies claim, at the level of a "
    "single claim (5 % over the number of edges)",
    "detectable_10_seeds": "the same with 10 seeds",
    "df_seeds": "degrees of freedom of `se_seeds`, with those that like edges lend",
    "flag": "why an arm is not to be taken at face value: runs that did not learn, two clusters of scores, a "
    "score that is undefined, or undefined without one test document; mostly empty",
}

_SAME_STEPS = "against the target alone for as many steps; empty without this control"
_LEFT_OUT = "without the partner's examples that stand in the target's test; empty without this control"
_TUNED = "against the target alone with its best learning rate; empty without this control"
_CONTROLS = {
    f"{column}_{control}": f"{meaning} {what}"
    for control, what in (("same_steps", _SAME_STEPS), ("left_out", _LEFT_OUT), ("tuned", _TUNED))
    for column, meaning in (
        ("gain", "the gain"),
        ("ci_low", "its lower end"),
        ("ci_high", "its upper end"),
        ("verdict", "the verdict"),
    )
} | {
    f"{column}_{control}": f"{meaning}; empty without a claim or without this control"
    for control in ("same_steps", "left_out", "tuned")
    for column, meaning in (
        ("difference", "of a claim, its gain minus the gain over this control"),
        ("difference_ci_low", "lower end of the difference's 95 % interval"),
        ("difference_ci_high", "upper end of the difference's 95 % interval"),
        ("standing", "`stands`, `reduced` or `undecided`, by the test of that difference"),
    )
}

_ARM = "`single`, `longer single`, `refinement` or `fine-tuning`"
_STAGES = _SHARED | {
    "source": "the group whose refinement it is: `all others`, …; empty for the target alone",
    "missing": "which seeds an arm lacks, and why",
}

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "results.csv": _SHARED
    | {
        "job": "the job's id, a folder in the store",
        "corpora": "what was trained together, joined by `+`",
        "split": "`dev` or `test`",
        "value": "the score; empty where the job failed or the score is undefined",
        "status": "`done` or `failed`",
        "error": "why it failed, or why the score is undefined",
        "epoch": "the epoch chosen on dev",
        "items": "examples of the split",
        "train_items": "examples trained on",
        "steps": "optimizer steps of the whole job",
        "seconds": "the job's duration",
        "peak_memory": "the most that its worker had in use (bytes); empty where it was not measured",
        "encoder": "the encoder and how many of its layers",
        "recipe": "the recipe's name",
        "source": "`synthetic` or `prepared`",
    },
    "edges.csv": _EDGE | _CONTROLS,
    "panels.csv": _EDGE | _CONTROLS | {"panel": "its letter in the picture", "grid": "the grid's name"},
    "compare.csv": _EDGE
    | {
        "base": "the grid that the others are held against",
        "method": "the grid that is held against it",
        "base_single": "mean test score of the target alone under the base",
        "base_joint": "the same with the partner",
        "base_gain": "the base's gain, from all its seeds",
        "base_ci_low": "lower end of its 95 % interval; of a claim, adjusted for selection",
        "base_ci_high": "its upper end",
        "base_verdict": "the base's verdict",
        "base_seeds": "how many seeds that rests on",
        "single": "mean test score of the target alone under the method",
        "gain": "the method's gain, from all its seeds",
        "flip": "`claim gained`, `claim lost`, `sign reversed`, `no effect shown`, `no effect not shown`; "
        "empty where the verdict stays",
        "difference": "the method's gain less the base's, mean over the common seeds",
        "difference_ci_low": "lower end of its 95 % interval; empty with fewer than 2 common seeds",
        "difference_ci_high": "its upper end",
        "difference_ci_low_selected": "the same, adjusted for selection; empty where nothing is claimed",
        "difference_ci_high_selected": "its upper end",
        "p": "of no difference, two-sided",
        "p_adjusted": "corrected over all rows",
        "difference_verdict": "`larger`, `smaller`, `no difference` or `inconclusive`",
        "common_seeds": "how many seeds both have",
        "detectable": "minimum detectable difference (80 % power) at the level of a single claim",
        "test_items": "`random`: the differences' intervals hold for new test items too; `given`: for these",
        "single_difference": "the score alone under the method less that under the base, in the common seeds",
        "single_ci_low": "lower end of its 95 % interval",
        "single_ci_high": "its upper end",
        "same_single_runs": "`yes` where the target alone is the same jobs under both",
        "joint_difference": "the score with the partner under the method less that under the base",
        "joint_ci_low": "lower end of its 95 % interval",
        "joint_ci_high": "its upper end",
    },
    "compare_cost.csv": {
        "method": "the grid",
        "jobs": "how many jobs are behind its edges",
        "seconds": "what they took together",
        "seconds_single": "the median of those of one corpus",
        "seconds_joint": "the median of those of two",
        "peak_memory": "the most bytes that the worker of a pair had in use; empty where it was not recorded",
        "data_source": "`synthetic` or `prepared`",
    },
    "table_groups.csv": _GAIN | {"source": "the group: `all others`, `all others but x`, or names with `+`"},
    "table_stages.csv": _EDGE
    | _STAGES
    | {
        "arm": _ARM,
        "against": "the arm that it is held against",
        "epochs": "of the target beside the other arm: `as many`, `fewer`, or `more` (it may gain by that)",
        "score": "the arm's mean test score in the common seeds",
        "score_against": "the other arm's",
        "gain": "score less score_against; empty where no seed has both",
        "p": "two-sided",
        "p_adjusted": "corrected over all rows",
        "verdict": "`improves`, `harms`, `no effect` or `inconclusive`; empty where no seed has both",
        "seeds": "how many seeds have both",
    },
    "table_stage_means.csv": _STAGES
    | {
        "single": "mean test score of the target alone",
        "longer_single": "alone, then alone for the epochs of fine-tuning, too",
        "refinement": "refined with the group",
        "fine_tuning": "refined with the group, then fine-tuned alone",
        "highest": "the arm with the highest mean, for description; equal ones joined by ` = `",
        "seeds": "the seeds that all arms with a score have: those of the means",
    },
    "table_null.csv": _EDGE | {"source": "the corpus itself, with other seeds"},
    "table_same_steps.csv": _EDGE | {"single": "mean test score of the target alone for as many steps"},
    "table_tuned.csv": _EDGE | {"single": "mean test score of the target alone with its best learning rate"},
    "table_left_out.csv": _EDGE | {"joint": "mean test score with the partner less the shared text"},
    "table_scores.csv": _SHARED
    | {
        "arm": "`single`, `pair with x`, `all`, …; `baseline`: the score of a constant, without seeds",
        "mean": "mean test score over the seeds; empty where there is none or it is undefined",
        "sd": "its standard deviation over the seeds",
        "missing": "`failed` or `undefined` where there is no mean",
        "source": "`synthetic` or `prepared`",
    },
    "table_corpora.csv": {
        "name": "the corpus",
        "kind": "its task kind",
        "metric": "its measure",
        "domain": "as the card says",
        "licence": "as the card says",
        "citation": "as the card's `source` says",
        "train": "examples of train",
        "dev": "examples of dev",
        "test": "examples of test",
        "notes": "what was done to it (limits, a dev split that was topped up), and what is wrong with it",
        "baseline": "test score of a constant that is fit on train; empty where it is undefined",
        "predictor": "what that constant is: the majority class or label set, the mean score, no mention",
        "truncated_train": "examples of train with more subword tokens than the recipe's `max_length`, which "
        "lose text; 0 in tagging, where sentences are divided. With `resample` this counts all examples that "
        "seeds draw from",
        "truncated_dev": "the same of dev",
        "truncated_test": "the same of test",
        "source": "`synthetic` or `prepared`",
    },
    "table_1.csv": _SHARED
    | {
        "corpus": "the corpus",
        "task": "what the paper calls its task",
        "metric": "what the paper calls its measure",
        "domain": "what the paper calls its domain",
        "unit": "what is counted",
        "split": "`train`, `dev` or `test`",
        "count": "how many the prepared corpus has",
        "published": "how many the paper says",
        "difference": "count less published",
        "why": "why there is no count",
    },
    "table_2.csv to table_6.csv": _SHARED
    | {
        "table": "its number",
        "model": "the paper's name of the row; `…, trained longer` is a control that the paper has not",
        "encoder": "the paper's encoder, as alias",
        "arm": _ARM,
        "measured_with": "the encoder that was really trained",
        "corpus": "the corpus, or `Avg` over all of the table's",
        "mean": "mean test score over the seeds",
        "ci_low": "lower end of the 95 % t interval over the seeds",
        "ci_high": "its upper end",
        "seeds_wanted": "how many the grids ask for",
        "published": "the paper's score",
        "difference": "mean less published",
        "why": "what is missing of the cell, and why",
    },
    "figure_2_text.csv": {
        "half": "`a` (clinical) or `b` (biomedical)",
        "source": "the partner, or `any`",
        "target": "whom it helps or harms, or `any`",
        "published": "what the text says of it",
        "measured": "the verdict and gain in points, or how many edges have which verdict",
        "statement": "the text's statement in short",
        "data_source": "`synthetic` or `prepared`",
    },
    "table_flags.csv": _SHARED
    | {
        "corpora": "the group that was trained together",
        "reason": "why the arm is flagged",
        "source": "`synthetic` or `prepared`",
    },
    "table_missing.csv": _SHARED
    | {
        "corpora": "the group",
        "state": "`failed`, `undefined` or `absent`",
        "error": "why",
        "source": "`synthetic` or `prepared`",
    },
}
