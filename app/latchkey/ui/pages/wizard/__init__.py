"""The wizard's pages: thin faces of `flow.wizard`. One container (`wizard_page`), one module a step."""

from latchkey.ui.pages.wizard.wizard_page import WizardPage

__all__ = ["WizardPage"]
