"""Arthur answers one question in milliseconds: which artwork does this photo show, or is it none of ours?"""
