"""Descriptions of the columns of a report's CSV files, the source of docs/reference.md."""

from collections.abc import Mapping

_SHARED = {
    "stage": "`refine`, `fine-tune`, or a control: `null`, `same-steps` with a count, `left-out x`",
    "metric": "the corpus's metric",
    "seed": "the seed by which arms are paired",
    "target": "the corpus that is evaluated",
    "seeds": "number of seeds",
    "data_source": "`synthetic` or `prepared`",
}
_GAIN = _SHARED | {
    "single": "mean test score of the target alone, further single-task seeds weighted as for the gain",
    "joint": "mean test score of the target with the partner or group",
    "gain": "joint minus single, mean over the seeds; empty if a score is undefined in all of them",
    "ci_low": "lower end of the 95% CI, not adjusted for selection; empty if unknown",
    "ci_high": "its upper end",
    "single_seeds": "number of single-task runs",
    "se_seeds": "the part of the standard error that more seeds reduce",
    "se_items": "the part that more test items reduce",
    "df_items": "degrees of freedom of `se_items`: fewer than the documents if a few of them dominate",
}
_EDGE = _GAIN | {
    "source": "the partner",
    "ci_low_selected": "lower end of a claim's 95% CI, adjusted for selection (false coverage rate); "
    "reports show this one; empty without a claim",
    "ci_high_selected": "its upper end",
    "p": "two-sided, corrected for interim analyses if seeds were adaptive",
    "p_adjusted": "corrected over all edges of the grid, those with gains below the smallest effect at p = 1",
    "verdict": "`improves`, `harms`, `no effect` or `inconclusive`",
    "smallest_effect": "the smallest gain that matters",
    "detectable": "minimum detectable effect: the gain that 80 % of such studies claim, at the level of a "
    "single claim (5 % over the number of edges)",
    "detectable_10_seeds": "the same with 10 seeds",
    "df_seeds": "degrees of freedom of `se_seeds`, including those borrowed from similar edges",
    "flag": "why an arm is unreliable: runs that did not learn, two clusters of scores, or a score that is "
    "undefined, or undefined without one test document; usually empty",
}

_SAME_STEPS = "against the target alone for as many steps; empty without this control"
_LEFT_OUT = "without the partner's examples that appear in the target's test; empty without this control"
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
        ("difference", "a claim's gain minus the gain over this control"),
        ("difference_ci_low", "lower end of the difference's 95% CI"),
        ("difference_ci_high", "upper end of the difference's 95% CI"),
        ("standing", "`stands`, `reduced` or `undecided`, by the test of that difference"),
    )
}

_ARM = "`single`, `longer single`, `refinement` or `fine-tuning`"
_STAGES = _SHARED | {
    "source": "the group of the refinement: `all others`, …; empty for the target alone",
    "missing": "which seeds an arm lacks, and why",
}

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "results.csv": _SHARED
    | {
        "job": "the job's id, a folder in the store",
        "corpora": "the corpora trained together, joined by `+`",
        "split": "`dev` or `test`",
        "value": "the score; empty if the job failed or the score is undefined",
        "status": "`done` or `failed`",
        "error": "the reason for a failure or an undefined score",
        "epoch": "the epoch selected on dev",
        "items": "number of examples in the split",
        "train_items": "examples trained on",
        "steps": "optimizer steps of the whole job",
        "seconds": "the job's duration",
        "peak_memory": "peak memory of its worker in bytes; empty if not measured",
        "encoder": "the encoder and its number of layers",
        "recipe": "the recipe's name",
        "source": "`synthetic` or `prepared`",
    },
    "edges.csv": _EDGE | _CONTROLS,
    "panels.csv": _EDGE | _CONTROLS | {"panel": "its letter in the picture", "grid": "the grid's name"},
    "compare.csv": _EDGE
    | {
        "base": "the grid that the others are compared with",
        "method": "the grid that is compared",
        "base_single": "mean test score of the target alone under the base",
        "base_joint": "the same with the partner",
        "base_gain": "the base's gain, from all its seeds",
        "base_ci_low": "lower end of its 95% CI; of a claim, adjusted for selection",
        "base_ci_high": "its upper end",
        "base_verdict": "the base's verdict",
        "base_seeds": "number of seeds of the base",
        "single": "mean test score of the target alone under the method",
        "gain": "the method's gain, from all its seeds",
        "flip": "`claim gained`, `claim lost`, `sign reversed`, `no effect shown`, `no effect not shown`; "
        "empty if the verdict is the same",
        "difference": "the method's gain minus the base's, mean over the common seeds",
        "difference_ci_low": "lower end of its 95% CI; empty with fewer than 2 common seeds",
        "difference_ci_high": "its upper end",
        "difference_ci_low_selected": "the same, adjusted for selection; empty without a claim",
        "difference_ci_high_selected": "its upper end",
        "p": "two-sided, of the difference",
        "p_adjusted": "corrected over all rows",
        "difference_verdict": "`larger`, `smaller`, `no difference` or `inconclusive`",
        "common_seeds": "number of seeds that both have",
        "detectable": "minimum detectable difference (80 % power) at the level of a single claim",
        "test_items": "`random`: the differences' intervals cover new test items; `given`: only these",
        "single_difference": "single-task score under the method minus that under the base, common seeds",
        "single_ci_low": "lower end of its 95% CI",
        "single_ci_high": "its upper end",
        "same_single_runs": "`yes` if both have the same single-task jobs",
        "joint_difference": "the score with the partner under the method minus that under the base",
        "joint_ci_low": "lower end of its 95% CI",
        "joint_ci_high": "its upper end",
    },
    "compare_cost.csv": {
        "method": "the grid",
        "jobs": "number of jobs behind its edges",
        "seconds": "total seconds of these jobs",
        "seconds_single": "median over jobs with one corpus",
        "seconds_joint": "median over jobs with two corpora",
        "peak_memory": "peak memory of a pair's worker in bytes; empty if not recorded",
        "data_source": "`synthetic` or `prepared`",
    },
    "table_groups.csv": _GAIN | {"source": "the group: `all others`, `all others but x`, or names with `+`"},
    "table_stages.csv": _EDGE
    | _STAGES
    | {
        "arm": _ARM,
        "against": "the arm that it is compared with",
        "epochs": "the target's epochs: `as many` as the other arm, `fewer`, or `more` (may explain a gain)",
        "score": "the arm's mean test score in the common seeds",
        "score_against": "the other arm's",
        "gain": "score minus score_against; empty if no seed has both",
        "p": "two-sided",
        "p_adjusted": "corrected over all rows",
        "verdict": "`improves`, `harms`, `no effect` or `inconclusive`; empty if no seed has both",
        "seeds": "how many seeds have both",
    },
    "table_stage_means.csv": _STAGES
    | {
        "single": "mean test score of the target alone",
        "longer_single": "mean test score alone, also trained for the epochs of fine-tuning",
        "refinement": "mean after refinement with the group",
        "fine_tuning": "mean after refinement with the group and fine-tuning alone",
        "highest": "the arm with the highest mean, as a description; equal ones joined by ` = `",
        "seeds": "number of seeds that all arms with a score have; the means are over these",
    },
    "table_null.csv": _EDGE | {"source": "the corpus itself, with other seeds"},
    "table_same_steps.csv": _EDGE | {"single": "mean test score of the target alone for as many steps"},
    "table_tuned.csv": _EDGE | {"single": "mean test score of the target alone with its best learning rate"},
    "table_left_out.csv": _EDGE | {"joint": "mean test score with the partner without the shared text"},
    "table_scores.csv": _SHARED
    | {
        "arm": "`single`, `pair with x`, `all`, …; `baseline`: the score of a constant, without seeds",
        "mean": "mean test score over the seeds; empty if missing or undefined",
        "sd": "its standard deviation over the seeds",
        "missing": "`failed` or `undefined` if there is no mean",
        "source": "`synthetic` or `prepared`",
    },
    "table_corpora.csv": {
        "name": "the corpus",
        "kind": "its task kind",
        "metric": "its metric",
        "domain": "from the card",
        "licence": "from the card",
        "citation": "the card's `source`",
        "train": "number of training examples",
        "dev": "number of dev examples",
        "test": "number of test examples",
        "notes": "changes (limits, an extended dev split) and problems",
        "baseline": "test score of a constant that is fit on train; empty if undefined",
        "predictor": "that constant: the majority class or label set, the mean score, or no mention",
        "truncated_train": "training examples with more subword tokens than the recipe's `max_length`, which "
        "are truncated; 0 in tagging, where sentences are divided. With `resample` this counts all examples "
        "that seeds draw from",
        "truncated_dev": "the same for dev",
        "truncated_test": "the same for test",
        "source": "`synthetic` or `prepared`",
    },
    "table_1.csv": _SHARED
    | {
        "corpus": "the corpus",
        "task": "the paper's name of its task",
        "metric": "the paper's name of its metric",
        "domain": "the paper's name of its domain",
        "unit": "the counted unit",
        "split": "`train`, `dev` or `test`",
        "count": "the count in the prepared corpus",
        "published": "the count in the paper",
        "difference": "count minus published",
        "why": "reason for a missing count",
    },
    "table_2.csv to table_6.csv": _SHARED
    | {
        "table": "its number in the paper",
        "model": "the paper's name of the row; `…, trained longer` is a control that the paper does not have",
        "encoder": "the paper's encoder, as an alias",
        "arm": _ARM,
        "measured_with": "the encoder that was actually trained",
        "corpus": "the corpus, or `Avg` over all of the table's",
        "mean": "mean test score over the seeds",
        "ci_low": "lower end of the 95% CI over seeds (t)",
        "ci_high": "its upper end",
        "seeds_wanted": "number of seeds in the grids",
        "published": "the paper's score",
        "difference": "mean minus published",
        "why": "what the cell lacks, and why",
    },
    "figure_2_text.csv": {
        "half": "`a` (clinical) or `b` (biomedical)",
        "source": "the partner, or `any`",
        "target": "the corpus that it helps or harms, or `any`",
        "published": "the effect according to the text",
        "measured": "the verdict and gain in points, or the number of edges per verdict",
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
