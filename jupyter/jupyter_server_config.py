"""JupyterLab for this workbook: what is saved under notebooks/ is saved without outputs.

Outputs show personal data, and the notebooks are under version control. What a cell shows stays on the screen; the
lasting record of a run is what `workbook run` keeps in runs/CUSTOMER/notebooks.
"""


def without_outputs(model, **_):
    """Strip outputs and counts from a notebook before it is written to disk."""
    if model["type"] != "notebook" or not isinstance(model.get("content"), dict):
        return
    for cell in model["content"].get("cells", []):
        if cell.get("cell_type") == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
            cell.get("metadata", {}).pop("execution", None)


c.ContentsManager.pre_save_hook = without_outputs
