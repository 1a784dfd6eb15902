import datetime as dt, openpyxl, xlsxwriter
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.worksheet.datavalidation import DataValidation
H=["Username","First name","Mobile","Date from","MFA requires","Legacy ref","User roles","Description"]
# openpyxl
wb=openpyxl.Workbook(); ws=wb.active; ws.title="Import"
ws.append(H)
ws.append(["kim","Kim\u00a0",447700900123,dt.date(2026,12,31),True,7,"A; B;a"," two\nlines "])
ws.append([None]*8)
ws.append(["sam","Sam",7.5,dt.datetime(2026,3,1,13,45),False,"0007","=1+1",'_x0041_ & <b> "q" \U0001F600'])
ws["F4"].number_format="@"
ws["F2"].number_format="0000"
ws.append(["pat",CellRichText("Pa",TextBlock(InlineFont(b=True),"tri"),"ck"),"+447700","31/12/2026","yes",None,"=A2","x"])
ws["G4"].data_type="s"
ws["A6"]="#N/A"; ws["A6"].data_type="e"; ws["H6"]="merged"; ws.merge_cells("B6:D6"); ws["B6"]="top left"
ws.row_dimensions[4].hidden=True; ws.column_dimensions["C"].hidden=True; ws.auto_filter.ref="A1:H6"; ws.freeze_panes="A2"
wb.create_sheet("Notes")["A1"]="not read"
wb.save("openpyxl.xlsx")
# iso dates, 1904
wb=openpyxl.Workbook(); wb.epoch=openpyxl.utils.datetime.CALENDAR_MAC_1904
ws=wb.active; ws.append(H[:4]); ws.append(["kim","Kim","1",dt.date(2026,12,31)]); wb.save("openpyxl-1904.xlsx")
# xlsxwriter
for name,opt in (("xlsxwriter.xlsx",{}),("xlsxwriter-inline.xlsx",{"constant_memory":True})):
    w=xlsxwriter.Workbook(name,opt); s=w.add_worksheet("Import"); s2=w.add_worksheet("Notes"); s2.write(0,0,"not read")
    d=w.add_format({"num_format":"dd/mm/yyyy"}); z=w.add_format({"num_format":"0000"}); b=w.add_format({"bold":True})
    s.write_row(0,0,H)
    s.write_row(1,0,["kim","Kim\u00a0",447700900123]); s.write_datetime(1,3,dt.datetime(2026,12,31),d); s.write_boolean(1,4,True); s.write_number(1,5,7,z); s.write_string(1,6,"A; B;a"); s.write_string(1,7," two\nlines ")
    s.write_row(3,0,["sam","Sam",7.5]); s.write_datetime(3,3,dt.datetime(2026,3,1,13,45),d); s.write_boolean(3,4,False); s.write_string(3,5,"0007"); s.write_string(3,6,"=1+1"); s.write_string(3,7,'_x0041_ & <b> "q" \U0001F600')
    s.write_string(4,0,"pat"); s.write_rich_string(4,1,"Pa",b,"tri","ck"); s.write_string(4,2,"+447700"); s.write_string(4,3,"31/12/2026"); s.write_string(4,4,"yes"); s.write_formula(4,6,"=A2",None,"kim"); s.write_string(4,7,"x")
    w.close()
# the sheet of make.mjs, with a note, and by a library that writes nothing but values
import pyexcelerate
from openpyxl.comments import Comment
J=["Username","Description","User licenses","Date to","Email","Mobile","MFA requires"]
P=[["kim",'Kim <&> "q"\u00a0',"FULL",dt.datetime(2031,12,31),"kim@example.com",7911123456,True],[None]*7,["sam ","Sam","NOPE","31/12/2026","no address","0007",0],["pat","Pat","TEAM",None,"pat@example.com",None,None]]
pyexcelerate_book=pyexcelerate.Workbook(); pyexcelerate_book.new_sheet("Joiners",data=[J]+P).set_cell_style(2,4,pyexcelerate.Style(format=pyexcelerate.Format("dd/mm/yyyy"))); pyexcelerate_book.save("pyexcelerate.xlsx")
wb=openpyxl.Workbook(); ws=wb.active; ws.title="Joiners"; ws.append(J); [ws.append(r) for r in P]
ws["C4"].comment=Comment("a note of mine","Me"); ws["C4"].fill=openpyxl.styles.PatternFill("solid",fgColor="FFFF00"); ws.protection.sheet=True; ws.merge_cells("B8:C9")
v=DataValidation(type="list",formula1='"FULL,TEAM"'); v.add("C2:C99"); ws.add_data_validation(v); wb.create_sheet("Notes"); wb.save("openpyxl-notes.xlsx")
bare=pyexcelerate.Workbook(); bare.new_sheet("Joiners",data=[J]+P[2:]); bare.save("pyexcelerate-bare.xlsx")
