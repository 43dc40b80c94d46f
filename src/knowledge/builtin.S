    .section .rodata
    .global dorsalgia_knowledge_begin
    .global dorsalgia_knowledge_end
    .balign 16
dorsalgia_knowledge_begin:
    .incbin DORSALGIA_PACKED
dorsalgia_knowledge_end:
    .section .note.GNU-stack,"",%progbits
