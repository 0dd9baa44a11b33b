"""The chat page: Gradio Blocks inside a FastAPI app, on this machine only."""
